package permit

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// This file is the proposal and its state machine.
//
// An organisation files drafts of its own; officers ask it for more and agencies for their
// opinion; an approver approves or refuses, or the organisation withdraws. What is approved
// becomes planned, and existing once it is built; if it is not built in time, it was planned
// until then. Transitions lists all steps there are. The database has the same list, takes
// every step by it, and lets nothing else change a state or the status of what is filed:
// what is decided here is who takes part, and what is said to whom it is not open.
//
// Decided: a proposal refers to drafts that are there, made by any door there is for them.
// From its filing on these stay as they were checked, until more is asked; and whoever has
// changed one nevertheless, since he does not see the proposal, it is approved as it was checked
// or not at all.
//
// Decided: who files never acts as staff on it, nor does anyone of his organisation. That
// holds for every step of staff, for who only asks can steer a decision, too.
//
// Decided: an answer of an agency is a step that leaves the state, so that of two who act at
// once on what they have read one is told that there is news.

// FileState is how far a proposal is.
type FileState string

// The states. Before it is filed a proposal is New, for nobody to see.
const (
	New          FileState = "new"
	Filed        FileState = "filed"
	MoreAsked    FileState = "more_asked"
	Supplemented FileState = "supplemented"
	Consulting   FileState = "consulting"
	Approved     FileState = "approved"
	Refused      FileState = "refused"
	Withdrawn    FileState = "withdrawn"
	Expired      FileState = "expired"
	Built        FileState = "built"
)

// States lists those that a proposal can be seen in.
func States() []FileState {
	return []FileState{Filed, MoreAsked, Supplemented, Consulting, Approved, Refused, Withdrawn, Expired, Built}
}

// Over reports whether no step leads on.
func (s FileState) Over() bool {
	return !slices.ContainsFunc(Transitions(), func(t Transition) bool { return t.Before == s })
}

// Action is what a step does.
type Action string

// The actions.
const (
	FileAction Action = "file"
	AskMore    Action = "ask_more"
	Supplement Action = "supplement"
	Consult    Action = "consult"
	AnswerFor  Action = "answer"
	Approve    Action = "approve"
	Refuse     Action = "refuse"
	Withdraw   Action = "withdraw"
	Renew      Action = "renew"
	Expire     Action = "expire"
	Build      Action = "build"
	Attach     Action = "attach" // a file, which comes with it
)

// Actions lists the actions on a proposal that is filed, but for Attach.
func Actions() []Action {
	return []Action{AskMore, Supplement, Consult, AnswerFor, Approve, Refuse, Withdraw, Renew, Expire, Build}
}

// Party is as whom somebody takes a step.
type Party string

// The parties of a proposal.
const (
	Organisation Party = "organisation" // operators of the organisation that has filed
	Officer      Party = "officer"      // who writes all its features, as staff
	Approver     Party = "approver"     // who decides on all its features
	Agency       Party = "agency"       // who is asked about it
)

// Transition is one row of the state machine.
type Transition = transition[FileState, Action, Party]

// Transitions is the state machine: every step there is.
func Transitions() []Transition {
	return []Transition{
		{New, FileAction, Organisation, Filed},
		{Filed, AskMore, Officer, MoreAsked}, {Supplemented, AskMore, Officer, MoreAsked}, {Consulting, AskMore, Officer, MoreAsked},
		{MoreAsked, Supplement, Organisation, Supplemented},
		{Filed, Consult, Officer, Consulting}, {Supplemented, Consult, Officer, Consulting}, {Consulting, Consult, Officer, Consulting},
		{Consulting, AnswerFor, Agency, Consulting}, {Consulting, AnswerFor, Officer, Consulting},
		// What is still asked goes on while more is asked of the organisation.
		{MoreAsked, AnswerFor, Agency, MoreAsked}, {MoreAsked, AnswerFor, Officer, MoreAsked},
		{Supplemented, AnswerFor, Agency, Supplemented}, {Supplemented, AnswerFor, Officer, Supplemented},
		{Filed, Approve, Approver, Approved}, {Supplemented, Approve, Approver, Approved}, {Consulting, Approve, Approver, Approved},
		{Filed, Refuse, Approver, Refused}, {MoreAsked, Refuse, Approver, Refused}, {Supplemented, Refuse, Approver, Refused}, {Consulting, Refuse, Approver, Refused},
		{Filed, Withdraw, Organisation, Withdrawn}, {MoreAsked, Withdraw, Organisation, Withdrawn},
		{Supplemented, Withdraw, Organisation, Withdrawn}, {Consulting, Withdraw, Organisation, Withdrawn},
		{Approved, Renew, Approver, Approved}, {Approved, Expire, Officer, Expired}, {Approved, Build, Officer, Built},
		{Filed, Attach, Organisation, Filed}, {MoreAsked, Attach, Organisation, MoreAsked}, {Supplemented, Attach, Organisation, Supplemented}, {Consulting, Attach, Organisation, Consulting},
		{Filed, Attach, Officer, Filed}, {MoreAsked, Attach, Officer, MoreAsked}, {Supplemented, Attach, Officer, Supplemented},
		{Consulting, Attach, Officer, Consulting}, {Consulting, Attach, Agency, Consulting},
		{MoreAsked, Attach, Agency, MoreAsked}, {Supplemented, Attach, Agency, Supplemented},
	}
}

// Next returns as whom somebody who is of the parties takes a step, and where it leads.
// layer.ErrForbidden where the state has it for others alone; layer.ErrConflict where the
// state has it for nobody, or not for him who takes it in another.
func Next(before FileState, action Action, parties []Party) (Party, FileState, error) {
	party, after, err := next(Transitions(), before, action, parties)
	if action == Attach && (before == Approved || before.Over()) && errors.Is(err, layer.ErrConflict) {
		err = &RefusedError{Detail: geo.Text{VI: "Hồ sơ không còn được xem xét nên không nhận thêm tệp.", EN: "The proposal is no longer under examination and takes no more files."}}
	}
	return party, after, err
}

// Open lists the actions that the parties of a proposal have in its state: an answer where
// something is still asked that its viewer sees, an approval where no consent is missing.
func Open(f *File) []Action {
	waits := slices.ContainsFunc(f.Consultations, func(c FileConsultation) bool { return c.Answer == nil && c.Withdrawn == nil })
	open := []Action{}
	for _, t := range Transitions() {
		switch {
		case t.Before != f.State || !slices.Contains(f.Parties, t.Party) || slices.Contains(open, t.Action):
		case t.Action == AnswerFor && !waits:
		case t.Action == Approve && len(f.MissingConsents) > 0:
		default:
			open = append(open, t.Action)
		}
	}
	return open
}

// FiledLayers lists the layers whose drafts can be filed: those that there are rules for.
func FiledLayers() []string {
	return []string{"bts_sites", "cable_segments", "ducts", "fibre_routes", "pole_lines", "postal_points"}
}

// RefusedError is a layer.ErrConflict that says in words of its own what stands in the way of
// a step.
type RefusedError struct{ Detail geo.Text }

// Error implements error.
func (e *RefusedError) Error() string { return e.Detail.EN }

// Unwrap returns layer.ErrConflict.
func (e *RefusedError) Unwrap() error { return layer.ErrConflict }

// Limits of proposals.
const (
	MaxFiled        = 200  // features of one
	MaxTitleRunes   = 300  // of its title
	MaxReasonsRunes = 4000 // of reasons, and of each condition
	MaxConditions   = 50
	MaxAgencies     = 20 // asked in one step
)

// NewFile is a proposal to be filed.
type NewFile struct {
	Title    string
	Features []FiledFeature
	Verdict  json.RawMessage
	Records  Sealed
}

// Sealed returns the verdicts to be recorded with a proposal, which has its id only when it
// is filed; nil for none.
type Sealed func(proposal int64) ([]Record, error)

// FeatureID names a feature of a proposal.
type FeatureID struct {
	Collection string `json:"collection"`
	ID         int64  `json:"id"`
}

// FiledFeature is a feature of a proposal.
type FiledFeature struct {
	Collection string `json:"collection"`
	ID         int64  `json:"id"`
	Code       string `json:"code"`
	Became     *int64 `json:"became"` // id of the row that says from when on it stands; null for none
	// Revision is that which was checked; of what is filed another one is refused.
	Revision int64 `json:"-"`
}

// DraftQuery selects drafts that can be filed: so many, behind one where that is given.
type DraftQuery struct {
	After FeatureID
	Limit int
}

// File is a proposal as a viewer may see it. Lists have none of the members behind Decision.
type File struct {
	ID           int64     `json:"id"`
	Organisation string    `json:"organisation"`
	Title        string    `json:"title"`
	State        FileState `json:"state"`
	Revision     int64     `json:"revision"`
	FiledAt      time.Time `json:"filed_at"`
	DueOn        geo.Date  `json:"due_on"`        // null once it is decided
	ExpiresOn    geo.Date  `json:"expires_on"`    // null until it is approved
	Overdue      bool      `json:"overdue"`       // the next step, or what was to be built
	AwaitsAnswer bool      `json:"awaits_answer"` // of the viewer's agency
	Decision     *string   `json:"decision"`      // its number in the register; null until it is approved or refused

	Features []FiledFeature  `json:"features,omitempty"`
	Verdict  json.RawMessage `json:"verdict,omitempty"`
	Steps    []FileStep      `json:"steps,omitempty"`
	// Consultations are those that the viewer has to do with.
	Consultations []FileConsultation `json:"consultations,omitempty"`
	// MissingConsents are agencies, of staff alone to know: they tell of withheld areas.
	MissingConsents []string `json:"missing_consents,omitempty"`
	// Attachments are those that the viewer sees, in the order in which they came.
	Attachments []Attachment `json:"attachments,omitempty"`
	// LastDecision is the number of the newest in the register, whosever, when this was read.
	LastDecision string `json:"-"`
	// Actions are the steps that the viewer may take now.
	Actions []Action `json:"actions,omitempty"`

	Parties []Party `json:"-"` // as whom the viewer takes steps
}

// FileStep is a step of a proposal.
type FileStep struct {
	Revision     int64           `json:"revision"` // counts the steps that the viewer is told
	Number       int64           `json:"-"`        // counts all
	Action       Action          `json:"action"`
	Party        Party           `json:"party"`
	Organisation *string         `json:"organisation"` // of who took it; null for none
	Who          *string         `json:"who"`          // null for who is of another organisation, unless the viewer is staff
	At           time.Time       `json:"at"`
	Before       FileState       `json:"before"`
	After        FileState       `json:"after"`
	Reasons      *string         `json:"reasons"`
	Conditions   []string        `json:"conditions"`
	Detail       json.RawMessage `json:"detail"` // what the agency answered, or who is asked; null for others than staff and that agency
	DueOn        geo.Date        `json:"due_on"`
	ExpiresOn    geo.Date        `json:"expires_on"`
}

// FileConsultation is what an agency is asked about one feature in a proposal.
type FileConsultation struct {
	account.Consultation
	Required       bool     `json:"required"`
	DocumentNumber *string  `json:"document_number"`
	DocumentDate   geo.Date `json:"document_date"`
	Attachment     *int64   `json:"attachment"` // id of the file of the answer; null for none
}

// Decision is a step to be taken.
type Decision struct {
	Action     Action
	Revision   int64 // that which it is decided on; 0 for any
	Reasons    string
	Conditions []string
	// Agencies are asked, by Consult, and without their consent nothing is approved where
	// it is Required.
	Agencies []string
	Required bool
	// What an agency answers: by itself, or as an officer records it.
	Agency         string
	Answer         account.Answer
	DocumentNumber string
	DocumentDate   geo.Date
	Attachment     int64 // id of the file of the answer; 0 for none
	// Verdict is of what is supplemented, of the features at these revisions; or of what is to be
	// approved, as it is judged then.
	Verdict  json.RawMessage
	Features []FiledFeature
	Records  Sealed
	// LastDecision is that of the register when what is to be approved was judged: another
	// approval since may stand in its way.
	LastDecision string
}

// ErrOvertaken is returned where something else was approved since what is to be approved was
// judged: it is judged anew, and approved then.
var ErrOvertaken = fmt.Errorf("something else was approved meanwhile: %w", layer.ErrStale)

// FileQuery selects proposals; zero values select all.
type FileQuery struct {
	State        FileState
	Organisation string
	Territory    string // code of a unit that a feature meets
	DueBy        geo.Date
	Overdue      bool
	ByDeadline   bool  // what is due first comes first, and last what is due at no time; else the newest first
	After        int64 // the proposal after which to go on
	Limit        int
}

// RegisteredDecision is an entry of the public register.
type RegisteredDecision struct {
	Number       string           `json:"number"`
	Outcome      FileState        `json:"outcome"`
	DecidedOn    geo.Date         `json:"decided_on"`
	Organisation string           `json:"organisation"`
	Conditions   []string         `json:"conditions"`
	State        FileState        `json:"state"`              // what has become of it: of an approval also built or expired
	ExpiresOn    geo.Date         `json:"expires_on"`         // the last day on which what is approved may be built; null of a refusal
	Proposal     *int64           `json:"proposal,omitempty"` // for who has to do with it; lists have none
	Features     []DecidedFeature `json:"features,omitempty"` // what is approved and the viewer sees; lists have none
}

// DecidedFeature is a row that a decision approves.
type DecidedFeature struct {
	Collection string  `json:"collection"`
	ID         int64   `json:"id"`
	Code       string  `json:"code"`
	Name       *string `json:"name"`
	Status     string  `json:"status"`
	// Properties are those of DecidedProperties that it has.
	Properties map[string]json.RawMessage `json:"properties,omitempty"`
}

// DecidedProperties lists what a decision says of a feature beside where it is: what makes it
// that which is approved, of each of the FiledLayers.
func DecidedProperties(collection string) []string {
	switch collection {
	case "bts_sites":
		return []string{"mast_type", "structure", "height_m", "half_width_m", "host_building_height_m"}
	case "cable_segments":
		return []string{"medium", "carrier", "underground"}
	case "ducts":
		return []string{"works_class", "ways"}
	case "fibre_routes":
		return []string{"kind", "carrier", "works_class"}
	case "pole_lines":
		return []string{"kind", "pole_height_m"}
	}
	return []string{"kind"}
}

// DecisionQuery selects entries of the register; zero values select all.
type DecisionQuery struct {
	Outcome      FileState
	Organisation string
	Year         int
	Collection   string // with Feature: why is this here?
	Feature      int64
	After        string // the number after which to go on
	Limit        int
}
