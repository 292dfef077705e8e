package account

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestKeysAreLongAndUnlike(t *testing.T) {
	ids, keys := map[string]bool{}, map[string]bool{}
	for range 200 {
		id, key := NewKey()
		ids[id], keys[key] = true, true
		if !strings.HasPrefix(key, "htg_"+id+"_") || len(key)-len("htg__")-len(id) != 43 || strings.ContainsAny(id, "_- ") || id != strings.ToLower(id) {
			t.Errorf("id %q, key %q", id, key)
		}
		if h := Hash(key); len(h) != 32 || bytes.Contains([]byte(key), h) || bytes.Equal(h, Hash(key+"x")) || !bytes.Equal(h, Hash(key)) {
			t.Errorf("hash of %q is %x", key, h)
		}
	}
	if len(keys) != 200 || len(ids) != 200 {
		t.Errorf("%d ids and %d keys of 200", len(ids), len(keys))
	}
}

func TestWhatRolesMay(t *testing.T) {
	everything, nothing := Pen{All: true}, Pen{}
	for _, tt := range []struct {
		role Role
		sees bool
		pen  Pen
	}{
		{"", false, nothing}, {"root", false, nothing}, {Public, false, nothing}, {Operator, false, nothing}, {Consulted, false, nothing},
		{Officer, true, everything}, {Approver, true, nothing}, {Administrator, true, everything},
	} {
		v := Holder("key:x", tt.role)
		if s := v.Sight("kiosks"); s.All != tt.sees || s.Withheld != tt.sees || v.Staff() != tt.sees || !s.Exact {
			t.Errorf("%q sees %+v", tt.role, s)
		}
		if p := v.Pen("kiosks"); p.All != tt.pen.All || p.None() == tt.pen.All || v.Administers() != (tt.role == Administrator) {
			t.Errorf("%q writes %+v", tt.role, p)
		}
	}
	for _, r := range Roles() {
		if !r.Valid() || r == Public {
			t.Errorf("%q is offered for grants", r)
		}
	}
	if Role("root").Valid() || Role("").Valid() || !Public.Valid() {
		t.Error("what is a role is wrong")
	}
	if Anonymous().Known() || (Viewer{}).Sight("bts_sites").Exact {
		t.Error("the public is somebody")
	}
}

// who makes a viewer of an organisation with grants.
func who(organisation string, grants ...Grant) Viewer {
	return Viewer{Name: "person:x", Organisation: organisation, Grants: grants}
}

func TestGrantsAreLimitedToLayersAndTerritories(t *testing.T) {
	roads := who("", Grant{Role: Officer, Layers: []string{"roads"}})
	district := who("", Grant{Role: Officer, Territory: "094"}, Grant{Role: Approver, Territory: "095"}, Grant{Role: Officer, Territory: "094"})
	operator := who("VNPT", Grant{Role: Operator})
	for _, tt := range []struct {
		name  string
		v     Viewer
		layer string
		sight Sight
		pen   Pen
	}{
		{"roads", roads, "roads", Sight{All: true, Withheld: true, Exact: true}, Pen{All: true}},
		{"roads", roads, "special_areas", Sight{Exact: true}, Pen{}},
		{"district", district, "kiosks", Sight{Withheld: true, Territories: []string{"094", "095"}, Exact: true}, Pen{Territories: []string{"094", "094"}}},
		{"operator", operator, "kiosks", Sight{Organisation: "VNPT", Exact: true}, Pen{Drafts: true}},
		{"operator in a district", who("VNPT", Grant{Role: Operator, Territory: "094"}), "kiosks", Sight{Organisation: "VNPT", Exact: true}, Pen{DraftsWithin: []string{"094"}}},
		{"operator in a district and everywhere", who("VNPT", Grant{Role: Operator, Territory: "094"}, operator.Grants[0]), "kiosks", Sight{Organisation: "VNPT", Exact: true}, Pen{Drafts: true, DraftsWithin: []string{"094"}}},
		{"operator of roads in a district", who("VNPT", Grant{Role: Operator, Territory: "094", Layers: []string{"roads"}}), "kiosks", Sight{Organisation: "VNPT", Exact: true}, Pen{}},
		{"operator of no organisation in a district", who("", Grant{Role: Operator, Territory: "094"}), "kiosks", Sight{Exact: true}, Pen{}},
		{"operator of no organisation", who("", Grant{Role: Operator}), "kiosks", Sight{Exact: true}, Pen{}},
		{"member without a role", who("VNPT"), "kiosks", Sight{Organisation: "VNPT", Exact: true}, Pen{}},
		{"agency", who("SXD", Grant{Role: Consulted}), "kiosks", Sight{Organisation: "SXD", Consulted: "SXD", Exact: true}, Pen{}},
		{"agency, of roads", who("SXD", Grant{Role: Consulted, Layers: []string{"roads"}}), "kiosks", Sight{Organisation: "SXD", Exact: true}, Pen{}},
		{"agency, of a territory", who("SXD", Grant{Role: Consulted, Territory: "094"}), "kiosks", Sight{Organisation: "SXD", Exact: true}, Pen{}},
		{"agency that is none", who("", Grant{Role: Consulted}), "kiosks", Sight{Exact: true}, Pen{}},
		{"public", Anonymous(), "kiosks", Sight{}, Pen{}},
	} {
		if diff := cmp.Diff(tt.sight, tt.v.Sight(tt.layer)); diff != "" {
			t.Errorf("%s of %s (-want +got)\n%s", tt.name, tt.layer, diff)
		}
		if diff := cmp.Diff(tt.pen, tt.v.Pen(tt.layer)); diff != "" {
			t.Errorf("%s of %s writes (-want +got)\n%s", tt.name, tt.layer, diff)
		}
	}
}

func TestWhoAsksAndWhoAnswers(t *testing.T) {
	for _, tt := range []struct {
		v      Viewer
		asks   Pen // of kiosks
		any    bool
		answer string
	}{
		{Anonymous(), Pen{}, false, ""}, {who("VNPT", Grant{Role: Operator}), Pen{}, false, ""}, {who("SXD", Grant{Role: Approver}), Pen{}, false, ""},
		{who("SXD", Grant{Role: Consulted}), Pen{}, false, "SXD"}, {who("", Grant{Role: Officer, Layers: []string{"roads"}}), Pen{}, true, ""},
		{who("SXD", Grant{Role: Officer, Territory: "094"}, Grant{Role: Operator}, Grant{Role: Operator, Territory: "095"}, Grant{Role: Consulted}), Pen{Territories: []string{"094"}}, true, "SXD"},
		{who("SXD", Grant{Role: Administrator}, Grant{Role: Consulted}), Pen{All: true}, true, "SXD"},
	} {
		if diff := cmp.Diff(tt.asks, tt.v.Asks("kiosks")); diff != "" || tt.v.AsksAnything() != tt.any || tt.v.Consulted("kiosks") != tt.answer {
			t.Errorf("%+v asks %+v, anything: %v; answers for %q", tt.v.Grants, tt.v.Asks("kiosks"), tt.v.AsksAnything(), tt.v.Consulted("kiosks"))
		}
	}
}

// Two viewers of one class must see the same rows, and be told of the same changes:
// caches go by it.
func TestClassesTellApartWhoSeesWhat(t *testing.T) {
	for _, tt := range []struct {
		v    Viewer
		want string
	}{
		{Anonymous(), "public"}, {Viewer{}, "public"}, {who("VNPT", Grant{Role: Operator}), "organisation:VNPT"},
		{Holder("key:c", Consulted), "signed_in"}, {who("SXD", Grant{Role: Consulted}), "consulted:* organisation:SXD"},
		{who("SXD", Grant{Role: Consulted, Layers: []string{"roads"}}), "consulted:roads organisation:SXD"}, {who("SXD", Grant{Role: Consulted, Territory: "094"}), "organisation:SXD"},
		{Viewer{Name: "key:1", Organisation: "VNPT", Grants: []Grant{{Role: Operator, Layers: []string{"roads", "ducts"}}, {Role: Consulted, Layers: []string{"roads"}}}}, "consulted:roads organisation:VNPT/ducts,roads"},
		{Viewer{Name: "key:1", Organisation: "VNPT", Grants: []Grant{{Role: Operator}}}, "organisation:VNPT"},
		{who("VNPT", Grant{Role: Officer}), "officer"}, {Terminal("lan"), "officer"},
		{who("", Grant{Role: Officer, Territory: "094"}), "officer:094:*"},
		{who("VNPT", Grant{Role: Approver, Layers: []string{"roads", "ducts", "roads"}}), "officer::ducts,roads organisation:VNPT"},
	} {
		if got := tt.v.Class(); got != tt.want {
			t.Errorf("%+v is of class %q, want %q", tt.v, got, tt.want)
		}
	}
	if Terminal("lan").Name != "cli:lan" {
		t.Error("the history would not name who was at the terminal")
	}
}

// A key is one of its organisation on the layers that it is for; a person is on all.
func TestKeysAreScoped(t *testing.T) {
	key := Viewer{Name: "key:1", Organisation: "VNPT", Grants: []Grant{{Role: Operator, Layers: []string{"ducts"}}}}
	person := key
	person.Name, person.Person = "person:lan", 1
	for layer, want := range map[string]string{"ducts": "VNPT", "bts_sites": ""} {
		if got := key.Sight(layer).Organisation; got != want || person.Sight(layer).Organisation != "VNPT" {
			t.Errorf("on %s the key is of %q, the person of %q", layer, got, person.Sight(layer).Organisation)
		}
	}
	everywhere, of := key.Audiences()
	if slices.Contains(everywhere, OfOrganisation("VNPT")) || !slices.Equal(of, []string{"organisation:VNPT/ducts"}) {
		t.Errorf("its audiences are %v and %v", everywhere, of)
	}
}

func TestViewersOfOneClassAreToldTheSame(t *testing.T) {
	layers := []string{"bts_sites", "roads", "special_areas"}
	grant := rapid.Custom(func(t *rapid.T) Grant {
		g := Grant{Role: rapid.SampledFrom(Roles()).Draw(t, "role")}
		if g.Role != Administrator {
			g.Territory = rapid.SampledFrom([]string{"", "094", "095"}).Draw(t, "territory")
			g.Layers = rapid.SampledFrom([][]string{nil, {"roads"}, {"roads", "bts_sites"}, {"bts_sites", "roads"}}).Draw(t, "layers")
		}
		return g
	})
	viewer := rapid.Custom(func(t *rapid.T) Viewer {
		v := who(rapid.SampledFrom([]string{"", "VNPT"}).Draw(t, "organisation"), rapid.SliceOfN(grant, 0, 2).Draw(t, "grants")...)
		v.Name = rapid.SampledFrom([]string{"person:x", "key:x"}).Draw(t, "name")
		return v
	})
	known := map[string]Viewer{}
	rapid.Check(t, func(t *rapid.T) {
		v := viewer.Draw(t, "viewer")
		other, ok := known[v.Class()]
		if !ok {
			known[v.Class()] = v
			return
		}
		for _, l := range layers {
			if diff := cmp.Diff(v.Sight(l), other.Sight(l)); diff != "" {
				t.Fatalf("%+v and %+v are of class %q and see other rows of %s:\n%s", v, other, v.Class(), l, diff)
			}
		}
		everywhere, of := v.Audiences()
		theirs, ofTheirs := other.Audiences()
		if diff := cmp.Diff([]any{everywhere, of}, []any{theirs, ofTheirs}); diff != "" {
			t.Fatalf("%+v and %+v are of class %q and are told of other changes:\n%s", v, other, v.Class(), diff)
		}
	})
}

func TestWhatMayBeHandedOn(t *testing.T) {
	district := Grant{Role: Officer, Territory: "094"}
	roads := Grant{Role: Officer, Layers: []string{"roads", "ducts"}}
	for _, tt := range []struct {
		own, other Grant
		want       bool
	}{
		{Grant{Role: Administrator}, district, true}, {Grant{Role: Officer}, district, true}, {Grant{Role: Officer}, roads, true},
		{district, district, true}, {district, Grant{Role: Officer}, false}, {district, Grant{Role: Officer, Territory: "095"}, false},
		{district, Grant{Role: Approver, Territory: "094"}, false}, {roads, Grant{Role: Officer, Layers: []string{"ducts"}}, true},
		{roads, Grant{Role: Officer, Layers: []string{"ducts", "kiosks"}}, false}, {roads, Grant{Role: Officer}, false},
		{Grant{Role: Officer}, Grant{Role: Administrator}, false},
	} {
		if got := who("", tt.own).MayGrant(tt.other); got != tt.want {
			t.Errorf("%+v hands on %+v: %t", tt.own, tt.other, got)
		}
	}
}

func TestWhoSeesThePast(t *testing.T) {
	operator, officer := Grant{Role: Operator}, Grant{Role: Officer, Territory: "094"}
	roads := []string{"roads"}
	for _, tt := range []struct {
		name          string
		v             Viewer
		kiosks, roads Past
	}{
		{"the public", Anonymous(), Past{}, Past{}},
		{"a member without a role", who("VNPT"), Past{}, Past{}},
		{"an agency", who("BCHQS", Grant{Role: Consulted}), Past{}, Past{}},
		{"an operator", who("VNPT", operator), Past{Organisation: "VNPT"}, Past{Organisation: "VNPT"}},
		{"an operator of roads", who("VNPT", Grant{Role: Operator, Layers: roads}), Past{}, Past{Organisation: "VNPT"}},
		{"an operator of no organisation", who("", operator), Past{}, Past{}},
		{"an officer of a district", who("", officer), Past{All: true}, Past{All: true}},
		{"an approver of roads who is an operator", who("VNPT", operator, Grant{Role: Approver, Layers: roads}), Past{Organisation: "VNPT"}, Past{All: true}},
		{"an administrator", Terminal("lan"), Past{All: true}, Past{All: true}},
	} {
		kiosks, roads := tt.v.Past("kiosks"), tt.v.Past("roads")
		if kiosks != tt.kiosks || roads != tt.roads {
			t.Errorf("%s: %+v of kiosks, %+v of roads", tt.name, kiosks, roads)
		}
		if any := !kiosks.None() || !roads.None(); tt.v.Remembers() != any {
			t.Errorf("%s remembers anything: %t", tt.name, tt.v.Remembers())
		}
	}
}
