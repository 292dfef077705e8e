package account

import (
	"slices"
	"time"

	"hatang/geo"
)

// Consultation is a question to an agency about a row. Until it is withdrawn, or the proposal is
// over in which it is asked, the agency sees the row (Sight.Consulted).
type Consultation struct {
	ID         int64             `json:"id"`
	Collection string            `json:"collection"`
	Feature    int64             `json:"feature"` // id of the row, which may be removed meanwhile
	Agency     string            `json:"agency"`  // code of the organisation
	State      ConsultationState `json:"state"`
	AskedBy    string            `json:"asked_by"` // as the history records it
	AskedAt    time.Time         `json:"asked_at"`
	DueOn      geo.Date          `json:"due_on"` // null for no date
	Answer     *Answer           `json:"answer"` // null until it is answered, and the next two
	AnsweredBy *string           `json:"answered_by"`
	AnsweredAt *time.Time        `json:"answered_at"`
	Note       *string           `json:"note"`         // what the agency says beside its answer; null for nothing
	Withdrawn  *time.Time        `json:"withdrawn_at"` // null unless it is withdrawn
}

// ConsultationState is how far a consultation is. One that is open is answered by its
// agency, or withdrawn by who may ask; then it is over.
type ConsultationState string

// The states of a consultation.
const (
	Open      ConsultationState = "open"
	Answered  ConsultationState = "answered"
	Withdrawn ConsultationState = "withdrawn"
)

// ConsultationStates lists the states.
func ConsultationStates() []ConsultationState {
	return []ConsultationState{Open, Answered, Withdrawn}
}

// Answer is what an agency answers.
type Answer string

// Answers lists what an agency may answer.
func Answers() []Answer { return []Answer{"agreed", "agreed_with_conditions", "objected", "no_remark"} }

// Valid reports whether a is one of the answers.
func (a Answer) Valid() bool { return slices.Contains(Answers(), a) }

// MaxNoteRunes is how long a note may be.
const MaxNoteRunes = 4000

// NewConsultation is a question to be put.
type NewConsultation struct {
	Collection string
	Feature    int64
	Agency     string
	DueOn      geo.Date // zero for no date
	Today      geo.Date // the first day that it may be due on
}

// ConsultationChange is one step of a consultation that is open: an answer, the end, or
// another date.
type ConsultationChange struct {
	Answer   Answer // "" for none
	Note     string // goes with an answer
	Withdraw bool
	DueOn    *geo.Date // zero takes the date away
}

// ConsultationQuery selects consultations; zero values select all.
type ConsultationQuery struct {
	State      ConsultationState
	Collection string
	After      int64 // the consultation after which to go on
	Limit      int
}
