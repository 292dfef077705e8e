package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"hatang/internal/account"
)

// provider is a small OpenID Connect provider at which one person signs in.
type provider struct {
	url     string
	key     *ecdsa.PrivateKey
	subject string
	email   string
	nonces  map[string]string // by code
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, subject: "s-1", email: "lan@example.vn", nonces: map[string]string{}}
	mux := http.NewServeMux()
	reply := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"issuer": p.url, "authorization_endpoint": p.url + "/authorize", "token_endpoint": p.url + "/token", "jwks_uri": p.url + "/keys",
			"id_token_signing_alg_values_supported": []string{"ES256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &p.key.PublicKey, KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		reply(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": p.token(t, p.nonces[r.FormValue("code")])})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// token is what the provider says of the person.
func (p *provider) token(t *testing.T, nonce string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.key, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := json.Marshal(map[string]any{"iss": p.url, "aud": "hatang", "sub": p.subject, "email": p.email, "email_verified": true, "nonce": nonce,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// signOn goes through a sign-in as a browser does and returns the last answer.
func (p *provider) signOn(t *testing.T, server http.Handler, to string) answer {
	t.Helper()
	begun := send(server, "GET", "/api/v1/session/oidc?return="+url.QueryEscape(to), "")
	begun.wants(t, http.StatusSeeOther)
	there, err := url.Parse(begun.header.Get("Location"))
	if err != nil || !strings.HasPrefix(there.String(), p.url+"/authorize?") {
		t.Fatalf("sent to %q, %v", begun.header.Get("Location"), err)
	}
	code := "code-" + there.Query().Get("state")[:8]
	p.nonces[code] = there.Query().Get("nonce")
	flow, _, _ := strings.Cut(begun.header.Get("Set-Cookie"), ";")
	return send(server, "GET", "/api/v1/session/oidc/callback?code="+code+"&state="+url.QueryEscape(there.Query().Get("state")), "", "Cookie", flow)
}

// sessionIn is the token of the session that an answer begins; "" for none.
func sessionIn(a answer) (token string) {
	for _, cookie := range a.header.Values("Set-Cookie") {
		if name, rest, _ := strings.Cut(cookie, "="); name == "hatang_session" {
			token, _, _ = strings.Cut(rest, ";")
		}
	}
	return token
}

func TestPeopleSignInAtTheirProvider(t *testing.T) {
	r, p := newRegister(t), newProvider(t)
	r.serveCommand = serveCommand{PublicURL: "http://127.0.0.1:1", OIDCIssuer: p.url, OIDCClientID: "hatang", OIDCClientSecret: "secret"}
	server, _ := r.serve(t)
	var offers struct{ Offers struct{ OIDC bool } }
	send(server, "GET", "/api/v1/session", "").read(t, &offers)
	if !offers.Offers.OIDC || send(r.server, "GET", "/api/v1/session/oidc", "").status != http.StatusNotFound {
		t.Error("the sign-on is not offered, or where there is none")
	}
	p.signOn(t, server, "/").isProblem(t, http.StatusUnauthorized) // nobody has this address
	id := r.person(t, "lan", "", account.Grant{Role: account.Officer})
	r.sql(t, "UPDATE people SET email = 'Lan@Example.vn', password = NULL WHERE id = $1", id)

	done := p.signOn(t, server, "/#keys")
	done.wants(t, http.StatusSeeOther)
	if to := done.header.Get("Location"); to != "/#keys" {
		t.Errorf("sent back to %q", to)
	}
	session := sessionIn(done)
	var who struct {
		Name string
		CSRF string
	}
	send(server, "GET", "/api/v1/session", "", signedIn(session)...).read(t, &who)
	if who.Name != "person:lan" || who.CSRF == "" {
		t.Errorf("signed in as %+v", who)
	}
	for _, elsewhere := range []string{"https://evil.example/", "//evil.example", "/\\evil.example"} {
		if to := p.signOn(t, server, elsewhere).header.Get("Location"); to != "/" {
			t.Errorf("%q leads to %q", elsewhere, to)
		}
	}
	// A callback that this browser did not begin, or that comes twice, is nobody's.
	send(server, "GET", "/api/v1/session/oidc/callback?code=x&state=y", "").isProblem(t, http.StatusUnauthorized)
	send(server, "GET", "/api/v1/session/oidc/callback?code=x&state=y", "", "Cookie", "hatang_flow=forged").isProblem(t, http.StatusUnauthorized)
	disabled := true
	if err := r.store.ChangePerson(context.Background(), keeper, id, account.PersonChange{Disabled: &disabled}); err != nil {
		t.Fatal(err)
	}
	p.signOn(t, server, "/").isProblem(t, http.StatusUnauthorized)
	if n := value[int](t, r, "SELECT count(*)::int FROM audit WHERE action = 'sign_in.failed'"); n != 3 {
		t.Errorf("%d failures are in the audit", n)
	}
}
