package postgis_test

import (
	"context"
	"strings"
	"testing"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// What is taken from somebody while his file is being read holds for the file, however long
// that takes.
func TestAnImportEndsWithTheRightToIt(t *testing.T) {
	s, layers, _ := open(t)
	ctx := context.Background()
	l := get(t, layers, "bts_sites")
	person, err := s.AddPerson(ctx, keeper(), account.NewPerson{Login: "lan", Name: "Lan", Grants: []account.Grant{{Role: account.Officer}, {Role: account.Approver}}})
	if err != nil {
		t.Fatal(err)
	}
	lan, err := s.Person(ctx, person)
	if err != nil {
		t.Fatal(err)
	}
	nga := account.Viewer{Name: "person:nga", Grants: []account.Grant{{Role: account.Officer}}}
	if nga.Person, err = s.AddPerson(ctx, keeper(), account.NewPerson{Login: "nga", Name: "Nga", Grants: nga.Grants}); err != nil {
		t.Fatal(err)
	}
	his := account.Viewer{Name: "person:lan", Person: person, Grants: lan.Grants}
	byKey := newKey(t, s, "", account.Grant{Role: account.Officer})
	yes := true
	for _, tt := range []struct {
		name   string
		viewer account.Viewer
		take   func() error
		state  layer.ImportState
	}{
		{"another grant is withdrawn", his, func() error { return s.WithdrawGrant(ctx, keeper(), person, lan.Grants[1].ID) }, layer.ImportDone},
		{"the grant is withdrawn", his, func() error { return s.WithdrawGrant(ctx, keeper(), person, lan.Grants[0].ID) }, layer.ImportRefused},
		{"the key is revoked", byKey, func() error { return s.RevokeKey(ctx, keeper(), strings.TrimPrefix(byKey.Name, "key:")) }, layer.ImportRefused},
		{"she is disabled", nga, func() error { return s.ChangePerson(ctx, keeper(), nga.Person, account.PersonChange{Disabled: &yes}) }, layer.ImportRefused},
	} {
		before := total(t, s, l)
		id := addLines(t, s, tt.viewer, l, layer.ImportWishes{}, tt.name+"\n"+tt.name+" 2")
		runOne(t, s, lines{t: t, status: "existing", onRow: func(_ context.Context, _ layer.Import, row int) error {
			if row == 2 {
				return tt.take()
			}
			return nil
		}})
		i := importOf(t, s, keeper(), id)
		refused := i.State == layer.ImportRefused
		if rows := total(t, s, l) - before; i.State != tt.state || refused != (rows == 0) || i.Report.Applied == refused || refused != (len(i.Report.Problems) == 1) {
			t.Errorf("%s: %d rows are stored, %s, %+v", tt.name, rows, i.State, i.Report)
		}
	}
}
