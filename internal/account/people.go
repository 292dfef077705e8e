package account

import (
	"encoding/json"
	"time"

	"hatang/geo"
)

// Person is somebody who signs in.
type Person struct {
	ID           int64      `json:"id"`
	Login        string     `json:"login"`
	Name         string     `json:"name"`
	Email        string     `json:"email"`        // "" for none
	Organisation string     `json:"organisation"` // code; "" for none
	DisabledAt   *time.Time `json:"disabled_at"`  // null while the person may sign in
	Notices      bool       `json:"notices"`      // whether the person is sent notices by mail
	Language     string     `json:"language"`     // of these, "vi" or "en"
	Grants       []Grant    `json:"grants"`
}

// NewPerson is a person to be kept.
type NewPerson struct {
	Login, Name, Email, Organisation string
	PasswordHash                     string // PHC form; "" for one who signs in elsewhere
	Grants                           []Grant
}

// PersonChange is what of a person changes; nil stays as it is.
type PersonChange struct {
	Name, Email, Organisation *string
	PasswordHash              *string // ends all sessions of the person
	Disabled                  *bool   // ends them too, and keys with them
	Notices                   *bool   // by mail
	Language                  *string // of these, "vi" or "en"
	KeepSession               []byte  // hash of a session that goes on
}

// Key is an API key as it is kept: without the key.
type Key struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Organisation string     `json:"organisation"` // code; "" for none
	Person       *int64     `json:"person"`       // whose it is; null for a program of its own
	Grants       []Grant    `json:"grants"`       // as far as they hold now
	CreatedBy    string     `json:"created_by"`
	CreatedAt    time.Time  `json:"created_at"`
	ExpiresAt    *time.Time `json:"expires_at"`
	RevokedAt    *time.Time `json:"revoked_at"`
}

// NewKeyRecord is a key to be kept, of which the hash is.
type NewKeyRecord struct {
	ID, Name     string
	Hash         []byte
	Organisation string
	Person       int64 // 0 for a program of its own
	Grants       []Grant
	Expires      time.Time // zero for never
}

// Session is a person signed in.
type Session struct {
	Viewer
	PersonName string
	Login      string
	Email      string // "" for none
	Notices    bool   // whether the person is sent notices by mail
	Language   string // of these
	ExpiresAt  time.Time
}

// NewSession is a session to be started.
type NewSession struct {
	Person  int64
	Token   string
	Address string // that the person signs in from
	Expires time.Time
	// PasswordHash is what the password was checked against: one that has been changed
	// since starts nothing. "" for who signs in elsewhere.
	PasswordHash string
}

// Credentials are what a sign-in by password is checked against.
type Credentials struct {
	Person       int64
	PasswordHash string // "" where there is none
	Disabled     bool
	AtHome       bool // the person has signed in from the network lately
}

// Organisation is an operator or an agency.
type Organisation struct {
	Code string   `json:"code"`
	Kind string   `json:"kind"` // operator or agency
	Name geo.Text `json:"name"`
}

// Exactness is how exactly the public sees where sites stand.
type Exactness string

// Exactly as they are known, rounded to cells, or not at all.
const (
	Exact   Exactness = "exact"
	Rounded Exactness = "rounded"
	Hidden  Exactness = "hidden"
)

// Publication is what a province lets the public see of its sites.
type Publication struct {
	Jurisdiction string    `json:"jurisdiction"` // code of the province
	Exactness    Exactness `json:"exactness"`
	// CellDegrees is to whose multiples longitudes and latitudes are rounded; null
	// unless they are.
	CellDegrees *float64 `json:"cell_degrees"`
}

// AuditEntry is one entry of the audit.
type AuditEntry struct {
	ID        int64           `json:"id"`
	At        time.Time       `json:"at"`
	Who       string          `json:"who"`
	DBUser    string          `json:"db_user"`
	Action    string          `json:"action"`  // e.g. "key.added", "sign_in", "write.refused"
	Subject   string          `json:"subject"` // e.g. "person:lan", "key:3f2a"
	Detail    json.RawMessage `json:"detail"`
	RequestID string          `json:"request_id"`
}

// AuditPage are entries of the audit, and what was proved of it.
type AuditPage struct {
	Entries     []AuditEntry // the newest first
	FirstBroken int64        // the first entry found that is not as it was written; 0 for none
	ProvedTo    int64        // entries up to this one have been proved at one time or another
}

// MayMakeKeys reports whether the viewer may make keys of his own.
//
// Decided: a key makes none, unless it is an administrator's. Who has got hold of one would
// outlive by another its end and its being revoked.
func (v Viewer) MayMakeKeys() bool {
	return v.Administers() || v.Person != 0 && !v.isKey()
}

// MayGrant reports whether the viewer may hand on a grant: one that his own include.
func (v Viewer) MayGrant(g Grant) bool {
	for _, own := range v.Grants {
		if own.Includes(g) {
			return true
		}
	}
	return false
}
