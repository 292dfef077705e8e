package httpapi

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"hatang/internal/account"
)

// signedIn is a store in which somebody is signed in, and which keeps the audit.
type signedIn struct {
	*fakeStore
	audit []string
}

func (s *signedIn) SessionViewer(context.Context, string) (account.Session, error) {
	return account.Session{Viewer: account.Holder("person:lan", account.Officer), Login: "lan"}, nil
}

func (s *signedIn) Audit(_ context.Context, who, action, _ string, _ map[string]any) error {
	s.audit = append(s.audit, who+" "+action)
	return nil
}

// Whose session another page tried to use is what one wants to know of it.
func TestTheAuditNamesWhoseSessionAnotherPageUsed(t *testing.T) {
	for _, tt := range []struct {
		headers []string
		want    []string
	}{
		{[]string{"Cookie: hatang_session=x"}, []string{"person:lan write.refused"}},
		{[]string{"Cookie: hatang_session=x", csrfHeader + ": " + account.CSRFToken("x"), "Origin: https://other.example"}, []string{"person:lan write.refused"}},
		{[]string{"Cookie: hatang_session=x", "Authorization: Bearer nonsense"}, []string{"public write.refused"}},
		{nil, []string{"public write.refused"}},
		{[]string{"Cookie: hatang_session=x", csrfHeader + ": " + account.CSRFToken("x")}, nil},
	} {
		s := &signedIn{fakeStore: &fakeStore{}}
		c := config(t, s.fakeStore)
		c.Accounts, c.Readers, c.Refusals = s, s, NewRefusals(s.Audit, c.Log)
		w := do(apiWith(t, c).router(), "DELETE", itemsPath+"/1", "", tt.headers...)
		if refused := w.Code == http.StatusForbidden || w.Code == http.StatusUnauthorized; refused != (tt.want != nil) || !slices.Equal(s.audit, tt.want) {
			t.Errorf("%v: %d, audit %q, want %q", tt.headers, w.Code, s.audit, tt.want)
		}
	}
}
