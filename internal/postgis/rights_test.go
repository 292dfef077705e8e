package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// member is somebody of an organisation with grants.
func member(organisation string, grants ...account.Grant) account.Viewer {
	return account.Viewer{Name: "person:" + organisation, Organisation: organisation, Grants: grants}
}

func operatorOf(organisation string) account.Viewer {
	return member(organisation, account.Grant{Role: account.Operator})
}

// draftOf makes a draft of an organisation at a place.
func draftOf(t testing.TB, s *postgis.Store, l *layer.Layer, organisation, code string, at orb.Point) int64 {
	t.Helper()
	f := sample(t, l, code)
	f.Properties["status"], f.Properties["owner_organisation"], f.Geometry = layer.Draft, organisation, at
	return create(t, s, l, f)
}

// values returns one column of what a viewer sees of a layer, by id.
func values(t testing.TB, s *postgis.Store, v account.Viewer, l *layer.Layer, q layer.Query, field string) map[int64]string {
	t.Helper()
	seen := map[int64]string{}
	err := s.Features(context.Background(), v, l, q, func(r *layer.Row) error {
		for i, f := range l.Properties() {
			if f.Name == field {
				seen[r.ID] = string(r.Values[i])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestOperatorsWriteTheirDraftsAlone(t *testing.T) {
	s, layers, _ := open(t)
	ctx := context.Background()
	sites, roads := get(t, layers, "bts_sites"), get(t, layers, "roads")
	vnpt, viettel := operatorOf("VNPT"), operatorOf("VIETTEL")
	own := sample(t, sites, "D1")
	own.Properties["status"], own.Properties["owner_organisation"] = layer.Draft, "VNPT"
	id, err := s.CreateFeature(ctx, vnpt, sites, own)
	if err != nil {
		t.Fatal(err)
	}
	published := create(t, s, sites, sample(t, sites, "P1"))
	patch := func(v account.Viewer, id int64, field string, value any) error {
		_, err := s.UpdateFeature(ctx, v, sites, id, layer.Feature{Properties: map[string]any{field: value}}, 0, false)
		return err
	}
	for name, refused := range map[string]struct{ got, want error }{
		"a draft of somebody else": {func() error {
			other := sample(t, sites, "D2")
			other.Properties["status"], other.Properties["owner_organisation"] = layer.Draft, "VIETTEL"
			_, err := s.CreateFeature(ctx, vnpt, sites, other)
			return err
		}(), layer.ErrForbidden},
		"what is no draft":            {func() error { _, err := s.CreateFeature(ctx, vnpt, sites, sample(t, sites, "D3")); return err }(), layer.ErrForbidden},
		"a layer without drafts":      {func() error { _, err := s.CreateFeature(ctx, vnpt, roads, sample(t, roads, "R")); return err }(), layer.ErrForbidden},
		"a draft approved by oneself": {patch(vnpt, id, "status", "approved"), layer.ErrForbidden},
		"a draft given away":          {patch(vnpt, id, "owner_organisation", "VIETTEL"), layer.ErrForbidden},
		"a published row":             {patch(vnpt, published, "name", "x"), layer.ErrForbidden},
		"a rival's draft":             {patch(viettel, id, "name", "x"), layer.ErrNotFound},
		"a rival's draft, removed":    {s.DeleteFeature(ctx, viettel, sites, id, 0), layer.ErrNotFound},
		"a published row, removed":    {s.DeleteFeature(ctx, vnpt, sites, published, 0), layer.ErrForbidden},
	} {
		if !errors.Is(refused.got, refused.want) {
			t.Errorf("%s: %v, want %v", name, refused.got, refused.want)
		}
	}
	if err := patch(vnpt, id, "name", "Trạm mới"); err != nil {
		t.Error(err)
	}
	if err := s.DeleteFeature(ctx, vnpt, sites, id, 0); err != nil {
		t.Error(err)
	}
}

// An operator whose grant names a territory writes drafts within it, moves none into it or
// out, and sees all that his organisation owns all the same.
func TestOperatorsWriteWithinTheirTerritory(t *testing.T) {
	s, layers, _ := open(t)
	ctx := context.Background()
	sites, districts := get(t, layers, "bts_sites"), get(t, layers, "districts")
	unit := sample(t, districts, "094")
	unit.Geometry = orb.MultiPolygon{{{{103, 21}, {103.4, 21}, {103.4, 21.4}, {103, 21.4}, {103, 21}}}}
	create(t, s, districts, unit)
	in, out := orb.Point{103.1, 21.1}, orb.Point{104, 22}
	limited := account.Grant{Role: account.Operator, Territory: "094"}
	vnpt := member("VNPT", limited)
	add := func(v account.Viewer, code string, at orb.Point, organisation, status string) (int64, error) {
		f := sample(t, sites, code)
		f.Properties["status"], f.Properties["owner_organisation"], f.Geometry = status, organisation, at
		return s.CreateFeature(ctx, v, sites, f)
	}
	move := func(v account.Viewer, id int64, to orb.Point) error {
		_, err := s.UpdateFeature(ctx, v, sites, id, layer.Feature{Geometry: to}, 0, false)
		return err
	}
	inside, err := add(vnpt, "IN", in, "VNPT", layer.Draft)
	if err != nil {
		t.Fatal(err)
	}
	outside := draftOf(t, s, sites, "VNPT", "OUT", out)
	for name, got := range map[string]error{
		"a draft elsewhere":           func() error { _, err := add(vnpt, "A", out, "VNPT", layer.Draft); return err }(),
		"a rival's draft within":      func() error { _, err := add(vnpt, "B", in, "VIETTEL", layer.Draft); return err }(),
		"what is no draft within":     func() error { _, err := add(vnpt, "C", in, "VNPT", "existing"); return err }(),
		"moved out":                   move(vnpt, inside, out),
		"moved in":                    move(vnpt, outside, in),
		"removed elsewhere":           s.DeleteFeature(ctx, vnpt, sites, outside, 0),
		"a unit that is not there":    move(member("VNPT", account.Grant{Role: account.Operator, Territory: "999"}), inside, in),
		"another layer than granted":  move(member("VNPT", account.Grant{Role: account.Operator, Territory: "094", Layers: []string{"kiosks"}}), inside, in),
		"an operator of nobody's own": move(member("", limited), inside, in),
	} {
		want := layer.ErrForbidden
		if name == "an operator of nobody's own" {
			want = layer.ErrNotFound
		}
		if !errors.Is(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if seen := values(t, s, vnpt, sites, layer.Query{}, "code"); seen[outside] != "OUT" {
		t.Errorf("the organisation's draft elsewhere is not seen: %v", seen)
	}
	if err := move(vnpt, inside, orb.Point{103.2, 21.2}); err != nil {
		t.Error(err)
	}
	if err := move(member("VNPT", limited, account.Grant{Role: account.Operator}), outside, in); err != nil {
		t.Errorf("with a grant for everywhere beside it: %v", err)
	}
	if err := s.DeleteFeature(ctx, vnpt, sites, inside, 0); err != nil {
		t.Error(err)
	}
}

func TestConfidentialValuesAreForOwnersAndStaff(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	sites := get(t, layers, "bts_sites")
	districts := get(t, layers, "districts")
	own := sample(t, districts, "094")
	own.Geometry = box(103, 21, 1)
	create(t, s, districts, own)
	f := sample(t, sites, "S")
	f.Properties["owner_organisation"], f.Properties["contact"], f.Geometry = "VNPT", "Lan 0912", orb.Point{103.5, 21.5}
	id := create(t, s, sites, f)
	for _, tt := range []struct {
		v    account.Viewer
		sees bool
	}{
		{account.Anonymous(), false}, {operatorOf("VNPT"), true}, {operatorOf("VIETTEL"), false}, {officer(), true},
		{member("", account.Grant{Role: account.Officer, Territory: "094"}), true}, {member("", account.Grant{Role: account.Officer, Territory: "095"}), false},
		{member("", account.Grant{Role: account.Officer, Layers: []string{"roads"}}), false}, {account.Holder("key:c", account.Consulted), false},
	} {
		got := values(t, s, tt.v, sites, layer.Query{}, "contact")[id]
		if (got == "Lan 0912") != tt.sees || got != "" && !tt.sees {
			t.Errorf("%+v reads %q", tt.v.Grants, got)
		}
		n, err := s.CountFeatures(ctx, tt.v, sites, layer.Query{Equal: []layer.Equality{{Field: "contact", Value: "Lan 0912"}}})
		if err != nil || (n == 1) != tt.sees {
			t.Errorf("%+v finds %d by it, %v", tt.v.Grants, n, err)
		}
	}
	if got := scalar[string](t, connect(t, url), "SELECT contact FROM bts_sites"); got != "Lan 0912" {
		t.Errorf("%q is kept", got)
	}
}

// pointOf decodes the place of a row.
func pointOf(t testing.TB, s *postgis.Store, v account.Viewer, l *layer.Layer, id int64) orb.Point {
	t.Helper()
	row, err := s.Feature(context.Background(), v, l, id)
	if err != nil {
		t.Fatal(err)
	}
	g, _, err := ewkb.Unmarshal(row.Geometry)
	if err != nil {
		t.Fatal(err)
	}
	return g.(orb.Point)
}

func TestTheProvinceSaysHowExactlyThePublicSees(t *testing.T) {
	s, layers, url := open(t)
	second, err := postgis.Open(context.Background(), url, layers)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	ctx := context.Background()
	sites, kiosks := get(t, layers, "bts_sites"), get(t, layers, "kiosks")
	create(t, s, get(t, layers, "provinces"), sample(t, get(t, layers, "provinces"), "11"))
	exact := orb.Point{103.0237, 21.4562}
	ids := map[string]int64{}
	for _, l := range []*layer.Layer{sites, kiosks} {
		f := sample(t, l, "S")
		f.Properties["jurisdiction"], f.Properties["commune_code"], f.Geometry = "11", "03124", exact
		ids[l.Name] = create(t, s, l, f)
	}
	f := sample(t, sites, "OTHER")
	f.Properties["jurisdiction"], f.Properties["commune_code"], f.Geometry = "12", "03125", exact
	other := create(t, s, sites, f)
	public, signedIn := account.Anonymous(), operatorOf("VNPT")
	if got := pointOf(t, second, public, sites, ids["bts_sites"]); got != exact {
		t.Errorf("the public sees %v where nothing is said", got)
	}
	set := func(p account.Publication) {
		t.Helper()
		before := versionsOf(t, s, public)["bts_sites"]
		p.Jurisdiction = "11"
		if err := s.SetPublication(ctx, account.Terminal("test"), p); err != nil {
			t.Fatal(err)
		}
		if after := versionsOf(t, s, public)["bts_sites"]; after <= before {
			t.Error("what the public is shown has changed, and no version has")
		}
	}
	cell := 0.01
	set(account.Publication{Exactness: account.Rounded, CellDegrees: &cell})
	// The second store has read the settings before: its next statement knows the new ones.
	if got := pointOf(t, second, public, sites, ids["bts_sites"]); got != (orb.Point{103.02, 21.46}) {
		t.Errorf("the public sees %v, rounded", got)
	}
	for name, got := range map[string]orb.Point{
		"a kiosk": pointOf(t, second, public, kiosks, ids["kiosks"]), "another province": pointOf(t, second, public, sites, other), "to an operator": pointOf(t, second, signedIn, sites, ids["bts_sites"]),
	} {
		if got != exact {
			t.Errorf("%s is shown at %v", name, got)
		}
	}
	for _, tt := range []struct {
		box  orb.Bound
		want int64
	}{{orb.Bound{Min: orb.Point{103.019, 21.459}, Max: orb.Point{103.021, 21.461}}, 1}, {orb.Bound{Min: orb.Point{103.0236, 21.4561}, Max: orb.Point{103.0238, 21.4563}}, 1}} {
		if n, err := second.CountFeatures(ctx, public, sites, layer.Query{Boxes: []orb.Bound{tt.box}}); err != nil || n != tt.want {
			t.Errorf("%d in %v, %v; want %d (the other province's alone in the second)", n, tt.box, err, tt.want)
		}
	}
	// A commune may be much smaller than a cell.
	rounded := map[int64]string{ids["bts_sites"]: "", other: "03125"}
	if diff := cmp.Diff(rounded, values(t, second, public, sites, layer.Query{}, "commune_code")); diff != "" {
		t.Errorf("the communes that the public is told (-want +got)\n%s", diff)
	}
	if got := values(t, second, signedIn, sites, layer.Query{}, "commune_code"); got[ids["bts_sites"]] != "03124" {
		t.Errorf("the communes that an operator is told: %v", got)
	}
	set(account.Publication{Exactness: account.Hidden})
	if _, err := second.Feature(ctx, public, sites, ids["bts_sites"]); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("the public sees what is hidden: %v", err)
	}
	if got := values(t, second, public, sites, layer.Query{}, "code"); len(got) != 1 || got[other] != "OTHER" {
		t.Errorf("the public is shown %v", got)
	}
	if got := values(t, second, signedIn, sites, layer.Query{}, "code"); len(got) != 2 {
		t.Errorf("an operator is shown %v", got)
	}
	set(account.Publication{Exactness: account.Exact})
	if got := pointOf(t, second, public, sites, ids["bts_sites"]); got != exact {
		t.Errorf("the public sees %v, exactly", got)
	}
	if err := s.SetPublication(ctx, officer(), account.Publication{Jurisdiction: "11", Exactness: account.Hidden}); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("an officer sets it: %v", err)
	}
}

func versionsOf(t testing.TB, s *postgis.Store, v account.Viewer) layer.Versions {
	t.Helper()
	versions, err := s.LayerVersions(context.Background(), v)
	if err != nil {
		t.Fatal(err)
	}
	return versions
}

// Versions rise for those who see what has changed, and for nobody else.
func TestVersionsAreToldToThoseWhoSee(t *testing.T) {
	s, layers, url := open(t)
	sites, areas, districts, kiosks := get(t, layers, "bts_sites"), get(t, layers, "special_areas"), get(t, layers, "districts"), get(t, layers, "kiosks")
	for code, x := range map[string]float64{"094": 103, "095": 105} {
		f := sample(t, districts, code)
		f.Geometry = box(x, 21, 1)
		create(t, s, districts, f)
	}
	viewers := map[string]account.Viewer{
		"public": account.Anonymous(), "consulted": account.Holder("key:c", account.Consulted), "VNPT": operatorOf("VNPT"), "VIETTEL": operatorOf("VIETTEL"),
		"094": member("", account.Grant{Role: account.Officer, Territory: "094"}), "095": member("", account.Grant{Role: account.Approver, Territory: "095"}),
		"roads": member("", account.Grant{Role: account.Officer, Layers: []string{"roads"}}), "staff": officer(),
	}
	conn := connect(t, url)
	run(t, conn, "INSERT INTO people (login, name) VALUES ('x', 'x')")
	for _, v := range viewers { // territories count once somebody has them
		for _, g := range v.Grants {
			run(t, conn, "INSERT INTO grants (person, role, layers, territory) SELECT id, $1, $2, nullif($3, '') FROM people", string(g.Role), g.Layers, g.Territory)
		}
	}
	told := func(change func()) map[string]bool {
		t.Helper()
		before := map[string]layer.Versions{}
		for name, v := range viewers {
			before[name] = versionsOf(t, s, v)
		}
		change()
		told := map[string]bool{}
		for name, v := range viewers {
			if !cmp.Equal(before[name], versionsOf(t, s, v)) {
				told[name] = true
			}
		}
		return told
	}
	expect := func(what string, got map[string]bool, want ...string) {
		t.Helper()
		names := map[string]bool{}
		for _, name := range want {
			names[name] = true
		}
		if diff := cmp.Diff(names, got); diff != "" {
			t.Errorf("%s is told to others (-want +got)\n%s", what, diff)
		}
	}
	everyone := []string{"public", "consulted", "VNPT", "VIETTEL", "094", "095", "roads", "staff"}
	var draft, loose int64
	expect("a kiosk", told(func() { create(t, s, kiosks, sample(t, kiosks, "K")) }), everyone...)
	expect("a draft in 094", told(func() { draft = draftOf(t, s, sites, "VNPT", "D", orb.Point{103.5, 21.5}) }), "VNPT", "094", "staff")
	expect("a draft that is nobody's and nowhere", told(func() {
		loose = draftOf(t, s, sites, "VNPT", "L", orb.Point{100, 10})
		run(t, conn, "UPDATE bts_sites SET owner_organisation = NULL WHERE id = $1", loose)
	}), "VNPT", "staff")
	expect("a draft that is nobody's, changed", told(func() { run(t, conn, "UPDATE bts_sites SET name = 'x' WHERE id = $1", loose) }), "staff")
	expect("a draft moved to 095 and given to VIETTEL", told(func() {
		run(t, conn, "UPDATE bts_sites SET geom = 'SRID=4326;POINT(105.5 21.5)', owner_organisation = 'VIETTEL' WHERE id = $1", draft)
	}), "VNPT", "VIETTEL", "094", "095", "staff")
	expect("a border that moves away from a draft", told(func() {
		run(t, conn, "UPDATE districts SET geom = ST_Translate(geom, 10, 0) WHERE code = '095'")
	}), everyone...)
	expect("a draft published", told(func() { run(t, conn, "UPDATE bts_sites SET status = 'approved' WHERE id = $1", draft) }), everyone...)
	military := sample(t, areas, "M")
	military.Properties["kind"] = "military"
	expect("a military area", told(func() { create(t, s, areas, military) }), "094", "095", "staff")
	expect("all drafts removed", told(func() { run(t, conn, "DELETE FROM bts_sites WHERE status = 'draft'") }), "staff")
	expect("a statement that changes nothing", told(func() { run(t, conn, "UPDATE bts_sites SET name = 'x' WHERE id = -1") }))
}

func TestHiddenRowsTakeNoCodesAndNoNumbers(t *testing.T) {
	s, layers, _ := open(t)
	ctx := context.Background()
	for _, name := range []string{"bts_sites", "operator_positions", "kiosks"} {
		l := get(t, layers, name)
		first := create(t, s, l, sample(t, l, "A"))
		for range 5 {
			f := sample(t, l, "B") // the same each time: nobody may find that it is taken
			f.Properties["status"] = layer.Draft
			id, err := s.CreateFeature(ctx, officer(), l, f)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if id < 1<<48 || id >= 1<<49 {
				t.Errorf("%s: a hidden row has the id %d", name, id)
			}
		}
		f := sample(t, l, "B")
		if l.Has("site_code") {
			f.Properties["site_code"] = "another"
		}
		if second := create(t, s, l, f); second != first+1 {
			t.Errorf("%s: %d follows %d", name, second, first)
		}
		if _, err := s.CreateFeature(ctx, officer(), l, sample(t, l, "A")); !errors.Is(err, layer.ErrConflict) {
			t.Errorf("%s: a code twice: %v", name, err)
		}
	}
}

func TestPeopleAndTheirKeys(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	admin := account.Terminal("test")
	run(t, connect(t, url), `INSERT INTO organisations (code, kind, name) VALUES ('VNPT', 'operator', '{"vi": "VNPT", "en": "VNPT"}')`)
	create(t, s, get(t, layers, "provinces"), sample(t, get(t, layers, "provinces"), "11"))
	id, err := s.AddPerson(ctx, admin, account.NewPerson{Login: "lan", Name: "Lan", Email: "Lan@example.vn", Organisation: "VNPT", PasswordHash: "x",
		Grants: []account.Grant{{Role: account.Officer, Territory: "11"}, {Role: account.Operator}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddPerson(ctx, admin, account.NewPerson{Login: "other", Name: "O", Email: "lan@EXAMPLE.vn"}); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("an address twice: %v", err)
	}
	token := account.NewToken()
	if err := s.StartSession(ctx, account.NewSession{Person: id, Token: token, Address: "192.0.2.1", Expires: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	session, err := s.SessionViewer(ctx, token)
	if err != nil || session.Name != "person:lan" || session.Organisation != "VNPT" || len(session.Grants) != 2 {
		t.Fatalf("%+v, %v", session, err)
	}
	if known, err := s.Credentials(ctx, "lan", "192.0.2.1/32"); err != nil || known.Person != id || known.PasswordHash != "x" || !known.AtHome {
		t.Errorf("%+v, %v", known, err)
	}
	lan := session.Viewer
	addKey := func(v account.Viewer, person int64, grants ...account.Grant) (string, error) {
		keyID, key := account.NewKey()
		return key, s.AddKey(ctx, v, account.NewKeyRecord{ID: keyID, Hash: account.Hash(key), Name: "k", Person: person, Grants: grants})
	}
	for name, g := range map[string]account.Grant{"everywhere": {Role: account.Officer}, "another role": {Role: account.Approver, Territory: "11"}, "administrator": {Role: account.Administrator}} {
		if _, err := addKey(lan, id, g); !errors.Is(err, layer.ErrForbidden) {
			t.Errorf("a key of more than one's own (%s): %v", name, err)
		}
	}
	if _, err := addKey(lan, 0, account.Grant{Role: account.Operator}); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("a key of nobody: %v", err)
	}
	key, err := addKey(lan, id, account.Grant{Role: account.Officer, Layers: []string{"kiosks"}, Territory: "11"}, account.Grant{Role: account.Operator})
	if err != nil {
		t.Fatal(err)
	}
	// Whoever has got hold of a key does not outlive it by another.
	his, err := s.KeyViewer(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := addKey(his, id, account.Grant{Role: account.Operator}); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("a key makes another: %v", err)
	}
	aKeyKnowsItselfAlone(t, s, lan, his)
	may := func() (roles []account.Role) {
		t.Helper()
		v, err := s.KeyViewer(ctx, key)
		if err != nil {
			return nil
		}
		for _, g := range v.Grants {
			roles = append(roles, g.Role)
		}
		return append(roles, "known")
	}
	steps := []struct {
		name string
		do   func() error
		want []account.Role
	}{
		{"at first", func() error { return nil }, []account.Role{account.Officer, account.Operator, "known"}},
		{"a grant withdrawn", func() error { return s.WithdrawGrant(ctx, admin, id, session.Grants[0].ID) }, []account.Role{account.Operator, "known"}},
		{"one that includes it given", func() error { _, err := s.AddGrant(ctx, admin, id, account.Grant{Role: account.Officer}); return err }, []account.Role{account.Officer, account.Operator, "known"}},
		{"disabled", func() error { d := true; return s.ChangePerson(ctx, admin, id, account.PersonChange{Disabled: &d}) }, nil},
		// Who has got hold of the key in the meantime has nothing in hand.
		{"enabled", func() error { d := false; return s.ChangePerson(ctx, admin, id, account.PersonChange{Disabled: &d}) }, nil},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, may()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", step.name, diff)
		}
	}
	if _, err := s.SessionViewer(ctx, token); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("the session of one who was disabled: %v", err)
	}
	if err := s.WithdrawGrant(ctx, admin, id, session.Grants[0].ID); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("withdrawn twice: %v", err)
	}
	name := "x"
	if err := s.ChangePerson(ctx, lan, id, account.PersonChange{Name: &name}); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("a person changes his own name: %v", err)
	}
	if err := s.ChangePerson(ctx, operatorOf("VNPT"), id, account.PersonChange{PasswordHash: &name}); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("a person changes another's password: %v", err)
	}
}

// aKeyKnowsItselfAlone gives the person a second key, of which the first learns nothing.
func aKeyKnowsItselfAlone(t *testing.T, s *postgis.Store, person, key account.Viewer) {
	t.Helper()
	ctx := context.Background()
	other, secret := account.NewKey()
	if err := s.AddKey(ctx, person, account.NewKeyRecord{ID: other, Hash: account.Hash(secret), Name: "other", Person: person.Person, Grants: []account.Grant{{Role: account.Operator}}}); err != nil {
		t.Fatal(err)
	}
	for who, tt := range map[string]struct {
		viewer account.Viewer
		keys   int
	}{"the person": {person, 2}, "his key": {key, 1}, "an administrator": {account.Terminal("test"), 2}} {
		if keys, err := s.Keys(ctx, tt.viewer); err != nil || len(keys) != tt.keys {
			t.Errorf("%s sees %d keys of %d, %v", who, len(keys), tt.keys, err)
		}
	}
	if err := s.RevokeKey(ctx, key, other); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("a key revokes another: %v", err)
	}
	itself, err := s.KeyViewer(ctx, secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeKey(ctx, itself, other); err != nil {
		t.Errorf("a key revokes itself: %v", err)
	}
}

func TestSingleSignOnFindsPeople(t *testing.T) {
	s, _, _ := open(t)
	ctx := context.Background()
	admin := account.Terminal("test")
	id, err := s.AddPerson(ctx, admin, account.NewPerson{Login: "lan", Name: "Lan", Email: "lan@example.vn"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, issuer, subject, email string
		want                         int64
	}{
		{"nobody's address", "https://a", "1", "x@example.vn", 0}, {"an address not verified", "https://a", "1", "", 0},
		{"the first time", "https://a", "1", "LAN@example.vn", id}, {"afterwards", "https://a", "1", "", id}, {"whatever the address", "https://a", "1", "x@example.vn", id},
		{"another subject with the address", "https://a", "2", "lan@example.vn", 0}, {"another issuer", "https://b", "1", "lan@example.vn", id},
	} {
		got, err := s.PersonOfIdentity(ctx, tt.issuer, tt.subject, tt.email)
		if got != tt.want || (err == nil) != (tt.want != 0) || err != nil && !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("%s: %d, %v", tt.name, got, err)
		}
	}
	disabled := true
	if err := s.ChangePerson(ctx, admin, id, account.PersonChange{Disabled: &disabled}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PersonOfIdentity(ctx, "https://a", "1", ""); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("one who is disabled signs in: %v", err)
	}
}

// What rights become by any path is in the audit, and no secret is.
func TestTheAuditHasEveryChangeOfRights(t *testing.T) {
	s, layers, url := open(t)
	ctx := account.WithAsking(context.Background(), &account.Asking{Request: "r-1"})
	admin := account.Terminal("test")
	create(t, s, get(t, layers, "provinces"), sample(t, get(t, layers, "provinces"), "11"))
	id, err := s.AddPerson(ctx, admin, account.NewPerson{Login: "lan", Name: "Lan", PasswordHash: "$secret$", Grants: []account.Grant{{Role: account.Officer}}})
	if err != nil {
		t.Fatal(err)
	}
	token, hash := account.NewToken(), "$secret-2$"
	keyID, key := account.NewKey()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.StartSession(ctx, account.NewSession{Person: id, Token: token, Address: "192.0.2.1", Expires: time.Now().Add(time.Hour)}))
	must(s.EndSession(ctx, account.Viewer{Name: "person:lan"}, token))
	must(s.ChangePerson(ctx, admin, id, account.PersonChange{PasswordHash: &hash}))
	must(s.AddKey(ctx, admin, account.NewKeyRecord{ID: keyID, Hash: account.Hash(key), Name: "k", Grants: []account.Grant{{Role: account.Approver}}}))
	must(s.RevokeKey(ctx, admin, keyID))
	must(s.RevokeKey(ctx, admin, keyID)) // again: no change, no entry
	must(s.AddOrganisation(ctx, admin, account.Organisation{Code: "X", Kind: "agency"}))
	must(s.SetPublication(ctx, admin, account.Publication{Jurisdiction: "11", Exactness: account.Hidden}))
	must(s.Audit(ctx, "key:z", "write.refused", "POST /x", map[string]any{"status": 403}))
	conn := connect(t, url)
	run(t, conn, "UPDATE grants SET withdrawn_at = now() WHERE key IS NULL")
	page, err := s.AuditEntries(ctx, 0, 100)
	entries, broken := page.Entries, page.FirstBroken
	if err != nil || broken != 0 {
		t.Fatalf("broken at %d, %v", broken, err)
	}
	var got []string
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		got = append(got, e.Who+" "+e.Action+" "+e.Subject)
		if (e.RequestID != "r-1") != (i == 0) {
			t.Errorf("entry %d is of request %q", e.ID, e.RequestID)
		}
	}
	want := []string{
		"cli:test person.added person:lan", "cli:test grant.added person:lan", "person:lan sign_in person:lan", "person:lan sign_out person:lan", "cli:test person.changed person:lan",
		"cli:test key.added key:" + keyID, "cli:test grant.added key:" + keyID, "cli:test key.changed key:" + keyID, "cli:test organisation.added X", "cli:test publication.added 11",
		"key:z write.refused POST /x", "db:" + scalar[string](t, conn, "SELECT session_user::text") + " grant.changed person:lan",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	all := scalar[string](t, conn, "SELECT string_agg(a::text, '') FROM audit a")
	for _, secret := range []string{"$secret", token, key, fmt.Sprintf("%x", account.Hash(token)), fmt.Sprintf("%x", account.Hash(key))} {
		if strings.Contains(all, secret) {
			t.Errorf("the audit holds the secret %q", secret)
		}
	}
}

// What a person may not see, a statement that begins before settings change may not show
// after: the two run against each other.
func TestSettingsOfPublicationHoldAtOnce(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	sites := get(t, layers, "bts_sites")
	f := sample(t, sites, "S")
	f.Properties["jurisdiction"] = "11"
	id := create(t, s, sites, f)
	conn := connect(t, url)
	for i := range 100 {
		hide := i%2 == 0
		exactness := map[bool]string{true: "hidden", false: "exact"}[hide]
		run(t, conn, "INSERT INTO publications VALUES ('11', $1) ON CONFLICT (jurisdiction) DO UPDATE SET exactness = excluded.exactness", exactness)
		if _, err := s.Feature(ctx, account.Anonymous(), sites, id); errors.Is(err, layer.ErrNotFound) != hide {
			t.Fatalf("round %d, %s: %v", i, exactness, err)
		}
	}
	// A transaction that has not ended is not seen, whatever it waits for.
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		run(t, tx, "UPDATE publications SET exactness = 'hidden'")
		_, err := s.Feature(ctx, account.Anonymous(), sites, id)
		return err
	})
	if err != nil {
		t.Errorf("settings that are not in force yet: %v", err)
	}
}
