// Package account says who asks: roles, keys, and the Viewer that every read and
// write of the store takes.
//
// Decided: rights are decided here and applied in one place, the store's SQL,
// because a rule applied in each door is a rule forgotten in one of them.
package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Role is what a person or program may do.
type Role string

// The roles, least first.
const (
	Public        Role = "public"
	Operator      Role = "operator"
	Consulted     Role = "consulted"
	Officer       Role = "officer"
	Approver      Role = "approver"
	Administrator Role = "administrator"
)

// Roles lists the roles that a key can have.
func Roles() []Role { return []Role{Operator, Consulted, Officer, Approver, Administrator} }

// Valid reports whether r is one of the roles, public included.
func (r Role) Valid() bool {
	switch r {
	case Public, Operator, Consulted, Officer, Approver, Administrator:
		return true
	}
	return false
}

// Viewer is who asks. The zero value is the public.
type Viewer struct {
	Role         Role
	Organisation string // code of the organisation; "" for none
	Territory    string // code of the unit the role is limited to; "" for all
	Name         string // what the history records, e.g. "key:3f2a", "cli:lan"
}

// Anonymous returns the public viewer, who may read what is published.
func Anonymous() Viewer { return Viewer{Role: Public} }

// Terminal returns the viewer of a command run on the server by a unix user, who
// has the database in hand already.
func Terminal(user string) Viewer { return Viewer{Role: Administrator, Name: "cli:" + user} }

// SeesWithheld reports whether the viewer sees rows kept from the public.
func (v Viewer) SeesWithheld() bool {
	return v.Role == Officer || v.Role == Approver || v.Role == Administrator
}

// MayEdit reports whether the viewer may write features.
func (v Viewer) MayEdit() bool { return v.Role == Officer || v.Role == Administrator }

// Class names the set of rows the viewer sees, for cache keys and ETags.
func (v Viewer) Class() string {
	switch {
	case v.SeesWithheld():
		return "officer"
	case v.Organisation != "":
		return "organisation:" + v.Organisation
	default:
		return "public"
	}
}

const keyPrefix = "htg_"

// NewKey makes an API key: 256 random bits behind a short public id by which it
// is named and looked up. Only Hash(key) is stored.
func NewKey() (id, key string) {
	raw := make([]byte, 32)
	name := make([]byte, 6)
	// crypto/rand.Read never fails: it ends the program when the system has no randomness.
	_, _ = rand.Read(raw)
	_, _ = rand.Read(name)
	id = strings.ToLower(base64.RawURLEncoding.EncodeToString(name))
	id = strings.NewReplacer("-", "x", "_", "y").Replace(id)
	return id, keyPrefix + id + "_" + base64.RawURLEncoding.EncodeToString(raw)
}

// Hash returns what is stored of a key. Keys are 256 random bits, so a plain
// SHA-256 is enough, and a slow hash would be a way to exhaust the server.
func Hash(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}
