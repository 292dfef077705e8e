package account

import (
	"slices"
	"strings"
)

// Viewer is who asks. The zero value is the public.
type Viewer struct {
	Name         string // what the history records, e.g. "key:3f2a", "person:lan", "cli:lan"
	Person       int64  // id of the person; 0 for a program or the public
	Organisation string // code of the organisation; "" for none
	Grants       []Grant
	// RefusedTo is an organisation whose requests to share that were refused he is told of, as
	// its own people are; "" for none.
	RefusedTo string
}

// Anonymous returns the public viewer, who may read what is published.
func Anonymous() Viewer { return Viewer{} }

// Terminal returns the viewer of a command run on the server by a unix user, who
// has the database in hand already.
func Terminal(user string) Viewer {
	return Viewer{Name: "cli:" + user, Grants: []Grant{{Role: Administrator}}}
}

// Holder returns a viewer with one role, on all layers and everywhere.
func Holder(name string, role Role) Viewer {
	return Viewer{Name: name, Grants: []Grant{{Role: role}}}
}

// KeyID is the id of the key that the viewer is, or by which he asks; "" for a person who has
// signed in and for nobody.
func (v Viewer) KeyID() string {
	id, found := strings.CutPrefix(v.Name, "key:")
	if !found {
		return ""
	}
	return id
}

func (v Viewer) isKey() bool { return v.KeyID() != "" }

// scope are the layers on which the viewer is one of his organisation; nil for all.
//
// Decided: a person is one of it whatever grants he has, and is no more once he is taken out
// of it. A key is made for a purpose, and is one of it where its grants are.
func (v Viewer) scope() []string {
	if !v.isKey() || len(v.Grants) == 0 || slices.ContainsFunc(v.Grants, func(g Grant) bool { return g.Layers == nil }) {
		return nil
	}
	layers := []string{}
	for _, g := range v.Grants {
		layers = append(layers, g.Layers...)
	}
	slices.Sort(layers)
	return slices.Compact(layers)
}

// OrganisationOn is the organisation that the viewer is one of on a layer; "" for none.
func (v Viewer) OrganisationOn(layer string) string {
	if scope := v.scope(); scope != nil && !slices.Contains(scope, layer) {
		return ""
	}
	return v.Organisation
}

// Known reports whether it is somebody: a key or a person, not the public.
func (v Viewer) Known() bool { return v.Name != "" || len(v.Grants) > 0 }

// Has reports whether any grant is of the role.
func (v Viewer) Has(role Role) bool {
	return slices.ContainsFunc(v.Grants, func(g Grant) bool { return g.Role == role })
}

// Administers reports whether the viewer keeps people, keys and settings.
func (v Viewer) Administers() bool { return v.Has(Administrator) }

// Staff reports whether the viewer sees what is kept from the public anywhere.
func (v Viewer) Staff() bool {
	return slices.ContainsFunc(v.Grants, func(g Grant) bool { return g.Role.staff() })
}

// Limited reports whether what the viewer sees depends on the borders of units.
func (v Viewer) Limited() bool {
	return slices.ContainsFunc(v.Grants, func(g Grant) bool { return g.Role.staff() && g.Territory != "" })
}

// Rank is the highest role of the viewer; Public for none.
func (v Viewer) Rank() Role {
	rank := Public
	for _, g := range v.Grants {
		if slices.Index(Roles(), g.Role) > slices.Index(Roles(), rank) {
			rank = g.Role
		}
	}
	return rank
}

// Sight is what a viewer sees of a layer beside the rows that are published.
type Sight struct {
	// All: every row there is.
	All bool
	// Withheld: the rows that the registry withholds from the public.
	Withheld bool
	// Organisation: drafts and confidential values of that organisation's rows; "" for none.
	Organisation string
	// Consulted: rows that this agency is asked about, but for their confidential values:
	// no answer needs these. "" for none.
	Consulted string
	// Territories: drafts and confidential values of rows that meet any of these units.
	Territories []string
	// Exact: places as they are, whatever a province lets the public see of them.
	Exact bool
}

// Sight returns what the viewer sees of a layer.
func (v Viewer) Sight(layer string) Sight {
	s := Sight{Organisation: v.OrganisationOn(layer), Consulted: v.Consulted(layer), Exact: v.Known()}
	for _, g := range v.Grants {
		switch {
		case !g.Role.staff() || !g.covers(layer):
		case g.Territory == "":
			s.All, s.Withheld = true, true
		default:
			s.Withheld = true
			s.Territories = append(s.Territories, g.Territory)
		}
	}
	if s.All {
		return Sight{All: true, Withheld: true, Exact: true}
	}
	slices.Sort(s.Territories)
	s.Territories = slices.Compact(s.Territories)
	return s
}

// SeesWithheld reports whether the viewer sees what is withheld from the public of a
// layer, and knows of the layer if it is for staff alone.
func (v Viewer) SeesWithheld(layer string) bool { return v.Sight(layer).Withheld }

// Publishes reports whether the viewer may publish layers of his own making, change and
// withdraw them: who may write everything everywhere.
func (v Viewer) Publishes() bool {
	return slices.ContainsFunc(v.Grants, func(g Grant) bool { return g.Role.edits() && g.Layers == nil && g.Territory == "" })
}

// Past is what a viewer sees of the history of a layer: who changed what.
type Past struct {
	// All: the changes of every row that he sees, and who made them.
	All bool
	// Organisation: the changes of that organisation's rows, and who made them where it was
	// one of its own; "" for none.
	Organisation string
}

// None reports whether nothing of the history is seen.
func (p Past) None() bool { return !p.All && p.Organisation == "" }

// Past returns what the viewer sees of the history of a layer: staff the past of what they
// see, operators that of their own rows, nobody else any, for it names people.
func (v Viewer) Past(layer string) Past {
	var p Past
	for _, g := range v.Grants {
		switch {
		case !g.covers(layer):
		case g.Role.staff():
			return Past{All: true}
		case g.Role == Operator:
			p.Organisation = v.Organisation
		}
	}
	return p
}

// Remembers reports whether the viewer sees the history of any layer.
func (v Viewer) Remembers() bool {
	return v.Staff() || v.Has(Operator) && v.Organisation != ""
}

// Pen is what a viewer may write of a layer.
type Pen struct {
	All         bool     // anything
	Territories []string // rows that lie within any of these units
	// Drafts: drafts of the viewer's organisation, and nothing else.
	Drafts bool
	// DraftsWithin: of these drafts, those that lie within any of these units.
	DraftsWithin []string
}

// None reports whether nothing may be written.
func (p Pen) None() bool {
	return !p.All && !p.Drafts && len(p.Territories) == 0 && len(p.DraftsWithin) == 0
}

// Pen returns what the viewer may write of a layer; drafts where the layer has any.
//
// Decided: a territory limits what an operator writes and not what he sees. His
// organisation's drafts he sees as one of it, as others of it do who have no role: with a
// grant nobody sees less than without.
func (v Viewer) Pen(layer string) Pen {
	var p Pen
	for _, g := range v.Grants {
		switch {
		case !g.covers(layer):
		case g.Role.edits() && g.Territory == "":
			return Pen{All: true}
		case g.Role.edits():
			p.Territories = append(p.Territories, g.Territory)
		case g.Role != Operator || v.Organisation == "":
		case g.Territory == "":
			p.Drafts = true
		default:
			p.DraftsWithin = append(p.DraftsWithin, g.Territory)
		}
	}
	return p
}

// Consulted returns the agency for which the viewer answers what it is asked about a layer;
// "" for none.
func (v Viewer) Consulted(layer string) string {
	if slices.ContainsFunc(v.Grants, func(g Grant) bool { return g.consults() && g.covers(layer) }) {
		return v.Organisation
	}
	return ""
}

// Unconsulted returns the viewer as one who is asked about nothing.
func (v Viewer) Unconsulted() Viewer {
	v.Grants = slices.DeleteFunc(slices.Clone(v.Grants), Grant.consults)
	return v
}

// Asks returns of which rows of a layer the viewer may ask agencies: those that his role
// writes. Operators ask about nothing.
func (v Viewer) Asks(layer string) Pen {
	p := v.Pen(layer)
	p.Drafts, p.DraftsWithin = false, nil
	return p
}

// AsksAnything reports whether there is a layer about which the viewer may ask agencies.
func (v Viewer) AsksAnything() bool {
	return slices.ContainsFunc(v.Grants, func(g Grant) bool { return g.Role.edits() })
}

// Audience names rows whose changes a viewer is told of: his version of a layer is the
// number of changes to the rows of his audiences.
type Audience string

// The audiences that are no organisation and no territory.
const (
	Everyone Audience = "public"    // rows that all may see
	SignedIn Audience = "signed_in" // rows that are kept from the public and no one else
	Staff    Audience = "staff"     // all other rows
)

// OfOrganisation is the audience of an organisation's drafts.
func OfOrganisation(code string) Audience { return Audience("organisation:" + code) }

// OfConsulted is the audience of the rows that an agency is asked about, and of which these
// are.
func OfConsulted(code string) Audience { return Audience("consulted:" + code) }

// OfTerritory is the audience of hidden rows that meet a unit.
func OfTerritory(code string) Audience { return Audience("territory:" + code) }

// OfWithheld is the audience of the rows that the registry withholds.
const OfWithheld Audience = "withheld"

// Audiences returns the audiences on all layers, and those on one layer alone as
// "audience/layer".
func (v Viewer) Audiences() (everywhere []Audience, of []string) {
	everywhere = []Audience{Everyone}
	if !v.Known() {
		return everywhere, nil
	}
	everywhere = append(everywhere, SignedIn)
	if v.seesAll() {
		return append(everywhere, Staff), nil
	}
	add := func(g Grant, a Audience) {
		if g.Layers == nil {
			everywhere = append(everywhere, a)
		}
		for _, layer := range g.Layers {
			of = append(of, string(a)+"/"+layer)
		}
	}
	if v.Organisation != "" {
		add(Grant{Layers: v.scope()}, OfOrganisation(v.Organisation))
	}
	for _, g := range v.Grants {
		switch {
		case g.consults() && v.Organisation != "":
			add(g, OfConsulted(v.Organisation))
		case !g.Role.staff():
		case g.Territory == "":
			add(g, Staff)
		default:
			add(g, OfTerritory(g.Territory))
			add(g, OfWithheld)
		}
	}
	slices.Sort(everywhere)
	slices.Sort(of)
	return slices.Compact(everywhere), slices.Compact(of)
}

// SeesEverything reports whether the viewer sees every row of every layer.
func (v Viewer) SeesEverything() bool { return v.seesAll() }

// seesAll reports whether the viewer sees every row of every layer.
func (v Viewer) seesAll() bool {
	return slices.ContainsFunc(v.Grants, func(g Grant) bool { return g.Role.staff() && g.Layers == nil && g.Territory == "" })
}

// Class names the set of rows the viewer sees, for cache keys and ETags: viewers of
// one class see the same rows with the same values.
func (v Viewer) Class() string {
	switch {
	case v.seesAll():
		return "officer"
	case !v.Known():
		return "public"
	}
	var parts []string
	if v.Organisation != "" {
		part := "organisation:" + v.Organisation
		if scope := v.scope(); scope != nil {
			part += "/" + strings.Join(scope, ",")
		}
		parts = append(parts, part)
	}
	for _, g := range v.Grants {
		kind := "officer:" + g.Territory
		switch {
		case g.consults() && v.Organisation != "":
			kind = "consulted"
		case !g.Role.staff():
			continue
		}
		layers := "*"
		if g.Layers != nil {
			names := slices.Clone(g.Layers)
			slices.Sort(names)
			layers = strings.Join(slices.Compact(names), ",")
		}
		parts = append(parts, kind+":"+layers)
	}
	if v.RefusedTo != "" {
		parts = append(parts, "refused:"+v.RefusedTo)
	}
	if len(parts) == 0 {
		return "signed_in"
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), " ")
}
