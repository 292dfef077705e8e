package permit

import (
	"time"

	"hatang/geo"
)

// NoticeKind is what there is to tell of a proposal.
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
)

// NoticeKinds lists the kinds.
func NoticeKinds() []NoticeKind {
	return []NoticeKind{NoticeFiled, NoticeSupplemented, NoticeWithdrawn, NoticeMoreAsked, NoticeApproved, NoticeRefused, NoticeRenewed, NoticeExpired, NoticeBuilt,
		NoticeConsulted, NoticeAnswered, NoticeOverdue, NoticeExpiring, NoticeNotBuilt}
}

// ExpiringDays is how many days before the end of an approval it is told.
const ExpiringDays = 30

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
	Party    Party
	File     File
	Attempts int // this one too

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
	Proposal     int64       `json:"proposal"`
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
