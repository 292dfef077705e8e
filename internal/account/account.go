// Package account says who asks and what they may do: people, organisations, roles,
// grants, keys, sign-in, and the Viewer that every read and write of the store takes.
//
// Decided: rights are decided here and applied in one place, the store's SQL,
// because a rule applied in each door is a rule forgotten in one of them.
//
// Decided: what one may not see cannot be inferred. So the version of a layer that a
// viewer is told counts the changes of what he sees (Audiences), rows that are hidden
// have ids of a kind of their own, and a code is taken only by rows that all may see.
package account

import "slices"

// Role is what a person or program may do.
type Role string

// The roles, least first.
const (
	Public        Role = "public"        // sees what is published
	Operator      Role = "operator"      // sees and writes its organisation's drafts
	Consulted     Role = "consulted"     // an agency; sees the rows it is asked about
	Officer       Role = "officer"       // sees drafts and withheld rows; writes features
	Approver      Role = "approver"      // sees as an officer does; decides, and writes no features
	Administrator Role = "administrator" // an officer who also keeps people, keys and settings
)

// Roles lists the roles that a grant can have.
func Roles() []Role { return []Role{Operator, Consulted, Officer, Approver, Administrator} }

// Valid reports whether r is one of the roles, public included.
func (r Role) Valid() bool { return r == Public || slices.Contains(Roles(), r) }

// staff reports whether the role sees what is kept from the public.
func (r Role) staff() bool { return r == Officer || r == Approver || r == Administrator }

// edits reports whether the role writes features of any kind.
func (r Role) edits() bool { return r == Officer || r == Administrator }

// Grant is a role on some layers in some territory.
type Grant struct {
	ID        int64    `json:"id,omitempty"`
	Role      Role     `json:"role"`
	Layers    []string `json:"layers"`    // names; null for all
	Territory string   `json:"territory"` // code of the unit; "" for everywhere
}

// covers reports whether the grant is about the layer.
func (g Grant) covers(layer string) bool { return g.Layers == nil || slices.Contains(g.Layers, layer) }

// consults reports whether the grant shows what an agency is asked about. What that is
// each question says, row by row: a grant that ends at a territory shows none.
func (g Grant) consults() bool { return g.Role == Consulted && g.Territory == "" }

// Includes reports whether whoever has g may hand on h: the same role on no more
// layers and in the same territory, or anything for an administrator.
func (g Grant) Includes(h Grant) bool {
	if g.Role == Administrator {
		return true
	}
	layers := g.Layers == nil || h.Layers != nil && !slices.ContainsFunc(h.Layers, func(name string) bool { return !slices.Contains(g.Layers, name) })
	return g.Role == h.Role && layers && (g.Territory == "" || g.Territory == h.Territory)
}
