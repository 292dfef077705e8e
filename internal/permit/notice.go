package permit

import (
	"encoding/json"
	"slices"
	"time"

	"hatang/geo"
	"hatang/internal/account"
)

// NoticeKind is what there is to tell of a proposal or of a request to share.
type NoticeKind string

// The kinds of notices.
const (
	NoticeFiled        NoticeKind = "filed"
	NoticeSupplemented NoticeKind = "supplemented"
	NoticeWithdrawn    NoticeKind = "withdrawn"
	NoticeMoreAsked    NoticeKind = "more_asked"
	NoticeApproved     NoticeKind = "approved"
	NoticeRefused      NoticeKind = "refused"
	NoticeRenewed      NoticeKind = "renewed"
	NoticeExpired      NoticeKind = "expired"
	NoticeBuilt        NoticeKind = "built"
	NoticeConsulted    NoticeKind = "consulted"
	NoticeAnswered     NoticeKind = "answered"
	NoticeOverdue      NoticeKind = "overdue"   // the next step
	NoticeExpiring     NoticeKind = "expiring"  // the approval, soon
	NoticeNotBuilt     NoticeKind = "not_built" // by the last day of the approval

	// Of requests to share: the state that a step has led to, and days.
	NoticeShareAsked     NoticeKind = "sharing_asked"
	NoticeShareAccepted  NoticeKind = "sharing_accepted"
	NoticeShareDeclined  NoticeKind = "sharing_declined"
	NoticeShareMediation NoticeKind = "sharing_mediation"
	NoticeShareAgreed    NoticeKind = "sharing_agreed"
	NoticeShareRefused   NoticeKind = "sharing_refused"
	NoticeShareWithdrawn NoticeKind = "sharing_withdrawn"
	NoticeShareDue       NoticeKind = "sharing_due" // the next step, soon
	NoticeShareOverdue   NoticeKind = "sharing_overdue"
)

// NoticeKinds lists the kinds of notices of proposals.
func NoticeKinds() []NoticeKind {
	return []NoticeKind{NoticeFiled, NoticeSupplemented, NoticeWithdrawn, NoticeMoreAsked, NoticeApproved, NoticeRefused, NoticeRenewed, NoticeExpired, NoticeBuilt,
		NoticeConsulted, NoticeAnswered, NoticeOverdue, NoticeExpiring, NoticeNotBuilt}
}

// ShareNoticeKinds lists the kinds of notices of requests to share.
func ShareNoticeKinds() []NoticeKind {
	return []NoticeKind{NoticeShareAsked, NoticeShareAccepted, NoticeShareDeclined, NoticeShareMediation, NoticeShareAgreed, NoticeShareRefused, NoticeShareWithdrawn,
		NoticeShareDue, NoticeShareOverdue}
}

// How many days before it is told that a day is near: the end of an approval, and the day on
// which the next step of a request to share is due.
const (
	ExpiringDays = 30
	ShareDueDays = 3
)

// ToldTo returns whom a notice concerns of a proposal in a state.
//
// Decided: officers are told what they have to do, and that it is late; the organisation what
// has become of its proposal, and that it is late, whoever keeps it waiting.
func ToldTo(kind NoticeKind, state FileState) []Party {
	switch kind {
	case NoticeFiled, NoticeSupplemented, NoticeWithdrawn, NoticeAnswered:
		return []Party{Officer}
	case NoticeConsulted:
		return []Party{Agency}
	case NoticeOverdue:
		if state != MoreAsked {
			return []Party{Officer, Organisation}
		}
	}
	return []Party{Organisation}
}

// ShareToldTo returns whom a notice concerns of a request to share: by is who took the step
// that it is about, none for a day, and before the state before it, or the present one.
//
// Decided: each is told what others did that changes what he may do, and what is late; the
// department what it may or has to take up. Who took a step knows of it.
func ShareToldTo(kind NoticeKind, by ShareParty, before ShareState) (told []ShareParty) {
	switch kind {
	case NoticeShareAsked:
		return []ShareParty{SharePartner}
	case NoticeShareAccepted:
		return []ShareParty{ShareAsker}
	case NoticeShareDeclined:
		return []ShareParty{ShareAsker, ShareOfficer}
	case NoticeShareDue:
		return []ShareParty{WhoseTurn(before)}
	case NoticeShareWithdrawn, NoticeShareAgreed:
		told = []ShareParty{ShareAsker, SharePartner}
		if before == ShareMediation {
			told = append(told, ShareOfficer)
		}
	default:
		told = []ShareParty{ShareAsker, SharePartner, ShareOfficer}
	}
	return slices.DeleteFunc(told, func(p ShareParty) bool { return p == by })
}

// WhoseTurn returns who has to take the step that is due in a state.
func WhoseTurn(state ShareState) ShareParty {
	if state == ShareMediation {
		return ShareOfficer
	}
	return SharePartner
}

// Notice is one to be delivered now, with what its receiver may see.
type Notice struct {
	Delivery int64
	Lease    string // by which its end is told
	Message  string // UUID, of this notice to this receiver
	Kind     NoticeKind
	MadeAt   time.Time
	Revision int64    // number of the step that it is about; 0 for none
	Agency   string   // that is asked or has answered; "" for none
	Day      geo.Date // that is near or past; zero for none
	Party    Party    // or as a ShareParty says
	File     File
	Share    *ShareRequest // that it is about; nil for a proposal, the File
	Attempts int           // this one too

	Mail *NoticeMail // else Hook
	Hook *NoticeHook
}

// Step returns the step that the notice is about, as the receiver sees it; nil for none.
func (n *Notice) Step() *FileStep {
	for i := range n.File.Steps {
		if n.File.Steps[i].Number == n.Revision {
			return &n.File.Steps[i]
		}
	}
	return nil
}

// Answer returns what the agency answers in the step that the notice is about, as far as the
// receiver sees it; "" for nothing.
func (n *Notice) Answer() account.Answer {
	step := n.Step()
	if step == nil || step.Action != AnswerFor {
		return ""
	}
	var detail struct{ Answer account.Answer }
	if err := json.Unmarshal(step.Detail, &detail); err != nil {
		return "" // it has none for this receiver
	}
	return detail.Answer
}

// Reasons returns what was said in the step that the notice is about, as far as the receiver
// sees it.
func (n *Notice) Reasons() string {
	if n.Share != nil {
		for _, s := range n.Share.Steps {
			if s.Revision == n.Revision && s.Reasons != nil {
				return *s.Reasons
			}
		}
	} else if s := n.Step(); s != nil && s.Reasons != nil {
		return *s.Reasons
	}
	return ""
}

// NoticeMail is a receiver by mail.
type NoticeMail struct{ Name, Address, Language string }

// NoticeHook is a receiver by webhook.
type NoticeHook struct {
	Organisation, URL string
	Secret            []byte
}

// NoticeState is what has become of a notice to a receiver.
type NoticeState string

// The states of a notice to a receiver.
const (
	NoticeWaiting   NoticeState = "waiting"
	NoticeDelivered NoticeState = "delivered"
	NoticeFailed    NoticeState = "failed"
	NoticeDropped   NoticeState = "dropped" // the receiver may not see it any more, or wants none
)

// NoticeStates lists the states.
func NoticeStates() []NoticeState {
	return []NoticeState{NoticeWaiting, NoticeDelivered, NoticeFailed, NoticeDropped}
}

// NoticeOutcome is what came of an attempt: delivered, failed for good, or waiting to be tried
// again after so long.
type NoticeOutcome struct {
	State NoticeState
	Again time.Duration
	Error string
}

// SentNotice is a notice to a receiver as administrators see it.
type SentNotice struct {
	ID           int64       `json:"id"`
	Message      string      `json:"message"`
	Proposal     *int64      `json:"proposal"`        // null where it is about a request to share
	Sharing      *string     `json:"sharing_request"` // null where it is about a proposal
	Kind         NoticeKind  `json:"kind"`
	MadeAt       time.Time   `json:"made_at"`
	Party        Party       `json:"party"`
	Person       *string     `json:"person"`       // login; null where a webhook is told
	Organisation *string     `json:"organisation"` // whose webhook is told; null for mail
	State        NoticeState `json:"state"`
	Attempts     int         `json:"attempts"`
	DueAt        time.Time   `json:"due_at"` // of the next attempt, while it waits
	Error        *string     `json:"error"`  // of the last attempt that did not deliver
	EndedAt      *time.Time  `json:"ended_at"`
}

// NoticeQuery selects notices; zero values select all.
type NoticeQuery struct {
	State NoticeState
	After int64 // the notice after which to go on
	Limit int
}
