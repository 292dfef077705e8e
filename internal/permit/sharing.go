package permit

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"hatang/geo"
	"hatang/internal/layer"
)

// This file is the request to share and its state machine.
//
// An organisation asks the owner of a mast, a duct or a pole line to use it, or others to
// build together; each who is asked answers with what there is room for, and with an offer
// or his reasons. The asker takes the offer, withdraws, or has the department mediate; an
// officer may take up by himself what was declined, or not answered in time. The department
// records an agreement or a refusal. As with proposals the database has the same list of
// transitions and takes every step by it.
//
// Decided: the asker agrees to nothing but what was offered; what else the parties come to,
// an officer records.
//
// Decided: of each side only its own people act, nobody on both, and no officer on what is
// his own organisation's. Who is no party and no staff of the place is told what he is told
// of a request that there is not.

// ShareState is how far a request to share is.
type ShareState string

// The states. Before it is asked a request is ShareNew, for nobody to see.
const (
	ShareNew       ShareState = "new"
	ShareAsked     ShareState = "asked"
	ShareAccepted  ShareState = "accepted" // by somebody, and declined by nobody
	ShareDeclined  ShareState = "declined"
	ShareMediation ShareState = "mediation"
	ShareAgreed    ShareState = "agreed"
	ShareRefused   ShareState = "refused"
	ShareWithdrawn ShareState = "withdrawn"
)

// ShareStates lists those that a request can be seen in.
func ShareStates() []ShareState {
	return []ShareState{ShareAsked, ShareAccepted, ShareDeclined, ShareMediation, ShareAgreed, ShareRefused, ShareWithdrawn}
}

// ShareAction is what a step does.
type ShareAction string

// The actions.
const (
	ShareAsk      ShareAction = "ask"
	ShareAccept   ShareAction = "accept"
	ShareDecline  ShareAction = "decline"
	ShareMediate  ShareAction = "mediate"
	ShareAgree    ShareAction = "agree"
	ShareRefuse   ShareAction = "refuse"
	ShareWithdraw ShareAction = "withdraw"
)

// ShareActions lists the actions on a request that is asked.
func ShareActions() []ShareAction {
	return []ShareAction{ShareAccept, ShareDecline, ShareMediate, ShareAgree, ShareRefuse, ShareWithdraw}
}

// ShareParty is as whom somebody takes a step.
type ShareParty string

// The parties of a request.
const (
	ShareAsker   ShareParty = "asker"   // operators of the organisation that asks
	SharePartner ShareParty = "partner" // operators of one that is asked
	ShareOfficer ShareParty = "officer" // who writes features there, as staff
)

// ShareTransition is one row of the state machine.
type ShareTransition = transition[ShareState, ShareAction, ShareParty]

// ShareTransitions is the state machine: every step there is.
func ShareTransitions() []ShareTransition {
	return []ShareTransition{
		{ShareNew, ShareAsk, ShareAsker, ShareAsked},
		{ShareAsked, ShareAccept, SharePartner, ShareAccepted}, {ShareAccepted, ShareAccept, SharePartner, ShareAccepted},
		{ShareAsked, ShareDecline, SharePartner, ShareDeclined}, {ShareAccepted, ShareDecline, SharePartner, ShareDeclined},
		{ShareAsked, ShareMediate, ShareAsker, ShareMediation}, {ShareAccepted, ShareMediate, ShareAsker, ShareMediation}, {ShareDeclined, ShareMediate, ShareAsker, ShareMediation},
		{ShareAsked, ShareMediate, ShareOfficer, ShareMediation}, {ShareAccepted, ShareMediate, ShareOfficer, ShareMediation}, {ShareDeclined, ShareMediate, ShareOfficer, ShareMediation},
		{ShareAccepted, ShareAgree, ShareAsker, ShareAgreed}, {ShareMediation, ShareAgree, ShareOfficer, ShareAgreed}, {ShareMediation, ShareRefuse, ShareOfficer, ShareRefused},
		{ShareAsked, ShareWithdraw, ShareAsker, ShareWithdrawn}, {ShareAccepted, ShareWithdraw, ShareAsker, ShareWithdrawn},
		{ShareDeclined, ShareWithdraw, ShareAsker, ShareWithdrawn}, {ShareMediation, ShareWithdraw, ShareAsker, ShareWithdrawn},
	}
}

// NextShare returns as whom somebody who is of the parties takes a step, and where it leads.
// layer.ErrForbidden where the state has it for others alone; layer.ErrConflict where the
// state has it for nobody, or not for him who takes it in another.
func NextShare(before ShareState, action ShareAction, parties []ShareParty) (ShareParty, ShareState, error) {
	return next(ShareTransitions(), before, action, parties)
}

// OpenShare lists the actions that the parties have in a state; an answer is among them until
// it is given, mediation of what is not answered from the day after it was due, and the asker's
// agreement where all offer the same.
func OpenShare(r *ShareRequest, parties []ShareParty, organisation string) []ShareAction {
	answered := slices.ContainsFunc(r.Partners, func(p SharingPartner) bool { return p.Organisation == organisation && !p.AnsweredOn.IsZero() })
	silent := slices.ContainsFunc(r.Partners, func(p SharingPartner) bool { return p.AnsweredOn.IsZero() })
	open := []ShareAction{}
	for _, t := range ShareTransitions() {
		switch {
		case t.Before != r.State || !slices.Contains(parties, t.Party) || slices.Contains(open, t.Action):
		case t.Party == SharePartner && answered:
		case t.Action == ShareMediate && r.State == ShareAsked && !r.Overdue:
		case t.Action == ShareAgree && t.Party == ShareAsker && (silent || offersDiffer(r.Steps)):
		default:
			open = append(open, t.Action)
		}
	}
	return open
}

// offersDiffer reports whether partners have accepted on different terms.
func offersDiffer(steps []ShareStep) bool {
	var first *Agreement
	for _, s := range steps {
		switch {
		case s.Action != ShareAccept || s.Agreement == nil:
		case first == nil:
			first = s.Agreement
		case !reflect.DeepEqual(first, s.Agreement):
			return true
		}
	}
	return false
}

// SharedLayers lists the layers whose features can be asked for, or built together.
func SharedLayers() []string { return []string{"bts_sites", "ducts", "pole_lines"} }

// Limits of requests to share.
const (
	MaxPartners     = 10
	MaxTechnologies = 10
	MaxShared       = 10_000 // of fibres, ducts, poles or places
)

// NewShare is a request to be asked: for a feature, whose owner is who is asked, or to build
// at a point together with partners.
type NewShare struct {
	Number     string
	Collection string
	Feature    int64 // 0 to build together
	Point      *[2]float64
	Partners   []string
	Wanted     Wanted
	Reasons    string
	Today      geo.Date
}

// Wanted is what is asked for; a member that is nil or empty does not matter.
type Wanted struct {
	HeightM      *float64 `json:"height_m"` // on the mast, above ground
	Technologies []string `json:"technologies"`
	Fibres       *int64   `json:"fibres"`
	Ways         *int64   `json:"ways"` // of ducts
	Poles        *int64   `json:"poles"`
	From         geo.Date `json:"from"`
}

// Capacity is what there is room for; a member that is nil is not known.
type Capacity struct {
	Places  *int64   `json:"places"` // for operators on the mast
	HeightM *float64 `json:"height_m"`
	LoadKg  *float64 `json:"load_kg"`
	Fibres  *int64   `json:"fibres"`
	Ways    *int64   `json:"ways"`
	Poles   *int64   `json:"poles"`
}

// Said reports whether any member is.
func (c *Capacity) Said() bool { return c != nil && *c != Capacity{} }

// Agreement is what is offered or agreed on: shares of capital, terms, or both.
type Agreement struct {
	Shares []CapitalShare `json:"shares"`
	Terms  string         `json:"terms"`
	From   geo.Date       `json:"from"` // from when on it is shared; null for when it is agreed on
}

// CapitalShare is what one organisation pays.
type CapitalShare struct {
	Organisation string  `json:"organisation"`
	Percent      Percent `json:"capital_percent"`
}

// Percent is a share in hundredths of one percent: exact, as money is.
type Percent int64

// Whole is all of it.
const Whole Percent = 100_00

// MarshalJSON writes a number with as many decimals as it needs, two at most.
func (p Percent) MarshalJSON() ([]byte, error) {
	text := fmt.Sprintf("%d.%02d", p/100, p%100)
	return []byte(strings.TrimSuffix(strings.TrimRight(text, "0"), ".")), nil
}

// UnmarshalJSON reads a number above 0, up to 100, with two decimals at most.
func (p *Percent) UnmarshalJSON(raw []byte) error {
	whole, decimals, _ := strings.Cut(string(raw), ".")
	for len(decimals) < 2 {
		decimals += "0"
	}
	value := int64(0)
	for _, digit := range whole + decimals {
		if digit < '0' || digit > '9' || len(decimals) > 2 || len(whole) > 3 {
			return fmt.Errorf("%.20q is no percentage with two decimals at most", raw)
		}
		value = value*10 + int64(digit-'0')
	}
	*p = Percent(value)
	if whole == "" || *p < 1 || *p > Whole {
		return fmt.Errorf("%.20q is no percentage above 0, up to 100", raw)
	}
	return nil
}

// Faults says what is wrong with an agreement between these organisations.
func (a Agreement) Faults(at string, between []string) (faults layer.Faults) {
	if len(a.Shares) == 0 && a.Terms == "" {
		faults.Add(at, "phải có shares hoặc terms", "needs shares or terms")
	}
	sum, seen := Percent(0), map[string]bool{}
	for i, s := range a.Shares {
		sum += s.Percent
		if !slices.Contains(between, s.Organisation) || seen[s.Organisation] {
			faults.Add(fmt.Sprintf("%s/shares/%d/organisation", at, i), "phải là một bên của đề nghị, mỗi bên một lần", "must be a party of the request, each once")
		}
		seen[s.Organisation] = true
	}
	if len(a.Shares) > 0 && sum != Whole {
		faults.Add(at+"/shares", "các phần vốn cộng lại phải bằng 100 %%", "the shares of capital must add up to 100 %%")
	}
	return faults
}

// ShareRequest is a request as a viewer may see it. Lists have none of the members behind
// Overdue.
type ShareRequest struct {
	Number     string           `json:"number"`
	Asker      string           `json:"asker"`
	Partners   []SharingPartner `json:"partners"`
	Collection string           `json:"collection"`
	Feature    *int64           `json:"feature"` // null to build together
	Code       *string          `json:"code"`
	State      ShareState       `json:"state"`
	Revision   int64            `json:"revision"`
	AskedOn    geo.Date         `json:"asked_on"`
	DueOn      geo.Date         `json:"due_on"` // null where nothing is due
	Overdue    bool             `json:"overdue"`

	Point    *[2]float64 `json:"point,omitempty"` // where to build together
	Wanted   *Wanted     `json:"wanted,omitempty"`
	Reasons  string      `json:"reasons,omitempty"`
	Position *int64      `json:"position,omitempty"` // id of the operator position that the agreement made
	Steps    []ShareStep `json:"steps,omitempty"`
	// Actions are the steps that the viewer may take now.
	Actions []ShareAction `json:"actions,omitempty"`

	Parties []ShareParty `json:"-"` // as whom the viewer takes steps
}

// Between lists the organisations of a request, the asker first.
func (r *ShareRequest) Between() []string {
	between := []string{r.Asker}
	for _, p := range r.Partners {
		between = append(between, p.Organisation)
	}
	return between
}

// SharingPartner is one who is asked.
type SharingPartner struct {
	Organisation string   `json:"organisation"`
	AnsweredOn   geo.Date `json:"answered_on"` // null until then
}

// ShareStep is a step of a request.
type ShareStep struct {
	Revision     int64          `json:"revision"`
	Action       ShareAction    `json:"action"`
	Party        ShareParty     `json:"party"`
	Organisation *string        `json:"organisation"` // of the party; null for an officer
	Who          *string        `json:"who"`          // null for who is of another organisation, unless the viewer is staff
	On           geo.Date       `json:"on"`
	At           time.Time      `json:"at"` // when it was recorded
	Before       ShareState     `json:"before"`
	After        ShareState     `json:"after"`
	Reasons      *string        `json:"reasons"`
	Capacity     *Capacity      `json:"capacity"`
	Agreement    *Agreement     `json:"agreement"`
	Document     *ShareDocument `json:"document"`
	DueOn        geo.Date       `json:"due_on"`
}

// ShareDocument is the paper of a step.
type ShareDocument struct {
	Number string   `json:"number"`
	Date   geo.Date `json:"date"`
}

// ShareDecision is a step to be taken.
type ShareDecision struct {
	Action    ShareAction
	Revision  int64 // that which it is decided on; 0 for any
	Reasons   string
	Capacity  *Capacity
	Agreement *Agreement // none where the asker agrees to what was offered
	Document  *ShareDocument
	Today     geo.Date
}

// TimeFaults says what is wrong with the days of a step that a party takes. Parties agree on
// what is to come, from the day of the request at the earliest. What was agreed on before,
// outside the register, an officer records with its paper, and why; nobody records a paper of
// a day to come.
//
// Decided: such an agreement holds from the day that it says, for then it was shared.
func (d ShareDecision) TimeFaults(party ShareParty, askedOn geo.Date) (faults layer.Faults) {
	if d.Document != nil && d.Today.Before(d.Document.Date) {
		faults.Add("/document/date", "không được sau hôm nay, %[1]s", "must not be after today, %[2]s", d.Today.Text().VI, d.Today.Text().EN)
	}
	if d.Agreement == nil || d.Agreement.From.IsZero() || !d.Agreement.From.Before(askedOn) {
		return faults
	}
	day := askedOn.Text()
	if party != ShareOfficer {
		faults.Add("/agreement/from", "không được trước ngày đề nghị, %[1]s; thoả thuận đã có từ trước do sở ghi nhận cùng văn bản",
			"must not be before the day of the request, %[2]s; what was agreed on earlier is recorded by the department, with its paper", day.VI, day.EN)
		return faults
	}
	if d.Document == nil || d.Document.Number == "" || d.Document.Date.IsZero() {
		faults.Add("/document", "phải có số và ngày: thoả thuận có từ trước ngày đề nghị, %[1]s", "needs a number and a date: the agreement is from before the request, %[2]s", day.VI, day.EN)
	}
	if d.Reasons == "" {
		faults.Add("/reasons", "phải nêu vì sao ghi nhận muộn: thoả thuận có từ trước ngày đề nghị, %[1]s", "must say why it is recorded late: the agreement is from before the request, %[2]s", day.VI, day.EN)
	}
	return faults
}

// ShareQuery selects requests; zero values select all.
type ShareQuery struct {
	State        ShareState
	Organisation string // asks or is asked
	Collection   string
	From, To     geo.Date // days on which it was asked, both included
	Overdue      bool
	Today        geo.Date
	After        string // the request after which to go on
	Limit        int
}

// NewShareNumber returns a number that no other request has and nobody guesses: 60 random bits.
func NewShareNumber(today geo.Date) string {
	return fmt.Sprintf("S-%04d-%s", today.Time().Year(), newCode(3))
}

// ValidShareNumber reports whether a text has the form of a request's number.
func ValidShareNumber(text string) bool {
	return strings.HasPrefix(text, "S-") && ValidNumber("V"+text[1:])
}
