package account

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestTokensAreLongAndUnlike(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		token := NewToken()
		raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
		if err != nil || len(raw) != 32 || seen[token] {
			t.Errorf("%q: %d bytes, %v", token, len(raw), err)
		}
		seen[token] = true
	}
}

func TestFormsBelongToTheirSession(t *testing.T) {
	a, b := NewToken(), NewToken()
	form := CSRFToken(a)
	if len(form) != 43 || form == CSRFToken(b) || form != CSRFToken(a) || strings.Contains(form, a) || form == base64.RawURLEncoding.EncodeToString(Hash(a)) {
		t.Errorf("token %q of session %q", form, a)
	}
	for _, tt := range []struct {
		session, given string
		want           bool
	}{
		{a, form, true}, {b, form, false}, {a, form + "x", false}, {a, form[:42], false}, {a, "", false}, {a, a, false}, {"", "", false}, {"", CSRFToken(""), false}, {"", form, false},
	} {
		if ValidCSRF(tt.session, tt.given) != tt.want {
			t.Errorf("%q in session %q: want %t", tt.given, tt.session, tt.want)
		}
	}
}
