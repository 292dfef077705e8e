package account

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func configFor(r *realm) OIDCConfig {
	return OIDCConfig{Issuer: r.URL, ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURL, Key: bytes.Repeat([]byte{7}, 32), Now: r.now}
}

func newOIDC(t testing.TB, config OIDCConfig) *OIDC {
	t.Helper()
	o, err := NewOIDC(config)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// signIn goes all the way, through the cookie.
func signIn(t testing.TB, o *OIDC, r *realm) (Identity, error) {
	t.Helper()
	redirect, flow, err := o.Begin(t.Context(), "/map")
	if err != nil {
		return Identity{}, err
	}
	opened, err := o.Open(o.Seal(flow), r.now())
	if err != nil {
		t.Fatal(err)
	}
	return o.Finish(t.Context(), opened, r.browse(t, redirect))
}

func newRealmAndClient(t testing.TB) (*realm, *OIDC, *clock) {
	c := &clock{}
	r := newRealm(t, c.now)
	return r, newOIDC(t, configFor(r)), c
}

func TestSignIn(t *testing.T) {
	r, o, _ := newRealmAndClient(t)
	who, err := signIn(t, o, r)
	if want := (Identity{Issuer: r.URL, Subject: "lan-1", Email: "lan@hatang.example", EmailVerified: true, Name: "Nguyễn Thị Lan"}); err != nil || who != want {
		t.Errorf("%+v, %v; want %+v", who, err, want)
	}
	// A provider that takes the secret in the form is told so at once: a code is good for one try.
	r.post = true
	if _, err := signIn(t, newOIDC(t, configFor(r)), r); err != nil || r.asked("/token") != 2 {
		t.Errorf("secret in the form: %v, %d exchanges", err, r.asked("/token"))
	}
}

func TestWhatIsSaidOfPeople(t *testing.T) {
	r, o, _ := newRealmAndClient(t)
	for _, tt := range []struct {
		claims string // over the honest ones; null takes away
		want   Identity
	}{
		{`{"email_verified": "true"}`, Identity{Email: "lan@hatang.example", EmailVerified: true, Name: "Nguyễn Thị Lan"}},
		{`{"email_verified": "false"}`, Identity{Email: "lan@hatang.example", Name: "Nguyễn Thị Lan"}},
		{`{"email_verified": 1, "name": "Tua\u0302\u0301n"}`, Identity{Email: "lan@hatang.example", Name: "Tuấn"}},
		{`{"email_verified": null, "name": null}`, Identity{Email: "lan@hatang.example"}},
		{`{"email": null}`, Identity{Name: "Nguyễn Thị Lan"}},
	} {
		r.claims = says(t, tt.claims)
		tt.want.Issuer, tt.want.Subject = r.URL, "lan-1"
		if got, err := signIn(t, o, r); err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v; want %+v", tt.claims, got, err, tt.want)
		}
	}
}

// says changes the claims of a token as told in JSON.
func says(t testing.TB, changes string) func(map[string]any) {
	return func(claims map[string]any) {
		var set map[string]any
		if err := json.Unmarshal([]byte(changes), &set); err != nil {
			t.Fatal(err)
		}
		for k, v := range set {
			if claims[k] = v; v == nil {
				delete(claims, k)
			}
		}
	}
}

// The provider lies in one claim at a time, in a token that is well signed. Beside each lie stands what is
// as near to it as may be and true.
func TestClaims(t *testing.T) {
	r, o, c := newRealmAndClient(t)
	at := func(d time.Duration) int64 { return c.now().Add(d).Unix() }
	for _, tt := range []struct {
		name    string
		claims  map[string]any
		refusal string
	}{
		{"honest", nil, ""},
		{"wrong issuer", map[string]any{"iss": "https://elsewhere.example"}, "different provider"},
		{"issuer with a slash", map[string]any{"iss": r.URL + "/"}, "different provider"},
		{"no issuer", map[string]any{"iss": nil}, "different provider"},
		{"audience in a list", map[string]any{"aud": []string{clientID}}, ""},
		{"wrong audience", map[string]any{"aud": "another"}, "expected audience"},
		{"wrong audience, right party", map[string]any{"aud": []string{"another"}, "azp": clientID}, "expected audience"},
		{"no audience", map[string]any{"aud": nil}, "expected audience"},
		{"two audiences, our party", map[string]any{"aud": []string{"another", clientID}, "azp": clientID}, ""},
		{"two audiences, another party", map[string]any{"aud": []string{"another", clientID}, "azp": "another"}, "authorised party"},
		{"two audiences, no party", map[string]any{"aud": []string{"another", clientID}}, "authorised party"},
		{"one audience, our party", map[string]any{"azp": clientID}, ""},
		{"one audience, another party", map[string]any{"azp": "another"}, "authorised party"},
		{"wrong nonce", map[string]any{"nonce": randomText()}, "nonce"},
		{"no nonce", map[string]any{"nonce": nil}, "nonce"},
		{"empty nonce", map[string]any{"nonce": ""}, "nonce"},
		{"expires in a second", map[string]any{"exp": at(time.Second)}, ""},
		{"expired", map[string]any{"exp": at(-time.Second)}, "expired"},
		{"never expires", map[string]any{"exp": nil}, "expired"},
		{"begins tomorrow", map[string]any{"nbf": at(24 * time.Hour)}, "not before"},
		{"began", map[string]any{"nbf": at(-time.Second)}, ""},
		{"no subject", map[string]any{"sub": nil}, "subject"},
		{"long subject", map[string]any{"sub": strings.Repeat("x", 256)}, "subject"},
		{"as long as it may be", map[string]any{"sub": strings.Repeat("x", 255)}, ""},
	} {
		changes, err := json.Marshal(tt.claims)
		if err != nil {
			t.Fatal(err)
		}
		r.claims = says(t, string(changes))
		checkSignIn(t, tt.name, o, r, tt.refusal)
	}
}

// checkSignIn holds the outcome against why it should be refused; "" for not at all.
func checkSignIn(t *testing.T, name string, o *OIDC, r *realm, refusal string) {
	t.Helper()
	who, err := signIn(t, o, r)
	switch {
	case refusal == "" && (err != nil || who.Subject == ""):
		t.Errorf("%s: %+v, %v", name, who, err)
	case refusal != "" && (!errors.Is(err, ErrSignIn) || !strings.Contains(err.Error(), refusal) || who != Identity{}):
		t.Errorf("%s: %+v, %v; want a refusal that says %q", name, who, err, refusal)
	}
}

func TestSignatures(t *testing.T) {
	r, o, _ := newRealmAndClient(t)
	for _, algorithm := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA} {
		r.by = newSigner(t, string(algorithm), algorithm)
		r.keys = append(r.keys, r.by)
		checkSignIn(t, string(algorithm), o, r, "")
	}
	for _, algorithm := range []jose.SignatureAlgorithm{jose.RS384, jose.RS512, jose.PS384, jose.ES384, jose.ES512} {
		r.by = newSigner(t, string(algorithm), algorithm)
		r.keys = append(r.keys, r.by)
		checkSignIn(t, string(algorithm), o, r, "signature algorithm")
	}
	r.by = r.keys[1] // RS256, in the key set
	encode := func(header string, claims map[string]any) string {
		body, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(body)
	}
	public, err := x509.MarshalPKIXPublicKey(r.by.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	forger := newSigner(t, r.by.kid, jose.RS256)
	for name, tt := range map[string]struct {
		token   func(map[string]any) string
		refusal string
	}{
		"honest":      {func(claims map[string]any) string { return r.by.sign(t, claims) }, ""},
		"without kid": {func(claims map[string]any) string { return signer{"", jose.RS256, r.by.key}.sign(t, claims) }, ""},
		"none":        {func(claims map[string]any) string { return encode(`{"alg":"none"}`, claims) + "." }, "signature algorithm"},
		"None":        {func(claims map[string]any) string { return encode(`{"alg":"None"}`, claims) + "." }, "signature algorithm"},
		"HS256 with the public key": {func(claims map[string]any) string {
			text := encode(`{"alg":"HS256","kid":"RS256"}`, claims)
			mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
			mac.Write([]byte(text))
			return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		}, "signature algorithm"},
		"no signature":            {func(claims map[string]any) string { return encode(`{"alg":"RS256","kid":"RS256"}`, claims) + "." }, "signature"},
		"of a key not in the set": {func(claims map[string]any) string { return forger.sign(t, claims) }, "signature"},
		"claims changed": {func(claims map[string]any) string {
			parts := strings.Split(r.by.sign(t, claims), ".")
			claims["sub"] = "somebody else"
			return encode(`{"alg":"RS256","kid":"RS256"}`, claims) + "." + parts[2]
		}, "signature"},
		"brings its own key": {func(claims map[string]any) string {
			key, err := json.Marshal(forger.public())
			if err != nil {
				t.Fatal(err)
			}
			text := encode(`{"alg":"RS256","jwk":`+string(key)+`}`, claims)
			return text + "." + strings.Split(forger.sign(t, claims), ".")[2]
		}, "signature"},
		"no token": {func(map[string]any) string { return "" }, "no ID token"},
	} {
		r.token = tt.token
		checkSignIn(t, name, o, r, tt.refusal)
	}
}

// A new key works at once, and so does taking one away.
func TestKeysChange(t *testing.T) {
	r, o, _ := newRealmAndClient(t)
	first, second := r.by, newSigner(t, "second", jose.RS256)
	for _, tt := range []struct {
		name    string
		keys    []signer
		by      signer
		refusal string
	}{
		{"the first", []signer{first}, first, ""},
		{"a second, not in the set yet", []signer{first}, second, "signature"},
		{"the second", []signer{first, second}, second, ""},
		{"the first beside it", []signer{first, second}, first, ""},
		{"the first, taken away", []signer{second}, first, "signature"},
		{"the second, alone", []signer{second}, second, ""},
		{"the first, put back", []signer{second, first}, first, ""},
		{"none", nil, first, "signature"},
	} {
		r.keys, r.by = tt.keys, tt.by
		checkSignIn(t, tt.name, o, r, tt.refusal)
	}
}

func TestOnlyTheBrowserThatBeganFinishes(t *testing.T) {
	r, o, c := newRealmAndClient(t)
	for _, tt := range []struct {
		name  string
		back  func(query url.Values, flow *Flow)
		want  error
		spent bool // the code reached the provider
	}{
		{"honest", func(url.Values, *Flow) {}, nil, true},
		{"named", func(q url.Values, _ *Flow) { q.Set("iss", r.URL) }, nil, true},
		{"wrong state", func(q url.Values, _ *Flow) { q.Set("state", randomText()) }, ErrFlow, false},
		{"no state", func(q url.Values, _ *Flow) { q.Del("state") }, ErrFlow, false},
		{"no state anywhere", func(q url.Values, f *Flow) { q.Del("state"); f.State = "" }, ErrFlow, false},
		{"two states", func(q url.Values, _ *Flow) { q.Add("state", randomText()) }, ErrFlow, false},
		{"no flow", func(_ url.Values, f *Flow) { *f = Flow{} }, ErrFlow, false},
		{"almost too late", func(_ url.Values, f *Flow) { f.Expires = c.now().Add(1) }, nil, true},
		{"too late", func(_ url.Values, f *Flow) { f.Expires = c.now() }, ErrFlow, false},
		{"of another provider", func(q url.Values, _ *Flow) { q.Set("iss", "https://elsewhere.example") }, ErrSignIn, false},
		{"no code", func(q url.Values, _ *Flow) { q.Del("code") }, ErrSignIn, false},
		{"two codes", func(q url.Values, _ *Flow) { q.Add("code", "x") }, ErrSignIn, false},
		{"another code", func(q url.Values, _ *Flow) { q.Set("code", "x") }, ErrSignIn, true},
		{"refused by the person", func(q url.Values, _ *Flow) { q.Set("error", "access_denied") }, ErrSignIn, false},
		{"wrong verifier", func(_ url.Values, f *Flow) { f.Verifier = randomText() }, ErrSignIn, true},
		{"no verifier", func(_ url.Values, f *Flow) { f.Verifier = "" }, ErrSignIn, true},
	} {
		redirect, flow, err := o.Begin(t.Context(), "/map")
		if err != nil {
			t.Fatal(err)
		}
		query, before := r.browse(t, redirect), r.asked("/token")
		tt.back(query, &flow)
		who, err := o.Finish(t.Context(), flow, query)
		if !errors.Is(err, tt.want) || (who == Identity{}) != (tt.want != nil) || (r.asked("/token") > before) != tt.spent {
			t.Errorf("%s: %+v, %v after %d exchanges", tt.name, who, err, r.asked("/token")-before)
		}
	}
}

// The control of PKCE: a provider that looks at no verifier takes any, so it is the verifier that is refused above.
func TestAnyVerifierWithoutPKCE(t *testing.T) {
	r, o, _ := newRealmAndClient(t)
	r.lax = true
	for _, verifier := range []string{"", randomText()} {
		redirect, flow, err := o.Begin(t.Context(), "/")
		if err != nil {
			t.Fatal(err)
		}
		flow.Verifier = verifier
		if _, err := o.Finish(t.Context(), flow, r.browse(t, redirect)); err != nil {
			t.Errorf("verifier %q: %v", verifier, err)
		}
	}
}

func TestCodesAreGoodOnce(t *testing.T) {
	for _, forgets := range []bool{false, true} {
		r, o, _ := newRealmAndClient(t)
		r.forgets = forgets
		redirect, flow, err := o.Begin(t.Context(), "/")
		if err != nil {
			t.Fatal(err)
		}
		query := r.browse(t, redirect)
		if _, err := o.Finish(t.Context(), flow, query); err != nil {
			t.Fatal(err)
		}
		// The control: with a provider that forgets, the same replay is good.
		if _, err := o.Finish(t.Context(), flow, query); errors.Is(err, ErrSignIn) == forgets || (err == nil) != forgets {
			t.Errorf("a code again, at a provider that forgets (%t): %v", forgets, err)
		}
	}
}

// A code stolen from one browser and put into the flow of another: the verifier stops it at the provider, and
// the nonce where the provider looks at no verifier.
func TestStolenCodes(t *testing.T) {
	for lax, refusal := range map[bool]string{false: "invalid_grant", true: "nonce"} {
		r, o, _ := newRealmAndClient(t)
		r.lax = lax
		victims, _, err := o.Begin(t.Context(), "/")
		if err != nil {
			t.Fatal(err)
		}
		_, thiefs, err := o.Begin(t.Context(), "/")
		if err != nil {
			t.Fatal(err)
		}
		query := r.browse(t, victims)
		query.Set("state", thiefs.State)
		if who, err := o.Finish(t.Context(), thiefs, query); !errors.Is(err, ErrSignIn) || !strings.Contains(err.Error(), refusal) {
			t.Errorf("%+v, %v; want a refusal that says %q", who, err, refusal)
		}
	}
}

func TestProvidersThatNameThemselvesMust(t *testing.T) {
	r, o, _ := newRealmAndClient(t)
	r.describe = func(about map[string]any) { about["authorization_response_iss_parameter_supported"] = true }
	checkSignIn(t, "without a name", o, r, "issuer")
	redirect, flow, err := o.Begin(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	query := r.browse(t, redirect)
	query.Set("iss", r.URL)
	if _, err := o.Finish(t.Context(), flow, query); err != nil {
		t.Error(err)
	}
}

// hangUp is a provider that is down: the connection ends without an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestProviderIsDownAndBack(t *testing.T) {
	const about = "/.well-known/openid-configuration"
	r, _, c := newRealmAndClient(t)
	r.first(about, hangUp)
	o := newOIDC(t, configFor(r)) // the server starts
	for range 5 {
		if _, _, err := o.Begin(t.Context(), "/"); !errors.Is(err, ErrProviderDown) {
			t.Errorf("while it is down: %v", err)
		}
	}
	asked := r.asked(about)
	if c.pass(discoveryPause - 1); asked > 2 { // net/http may try a connection that was idle once more
		t.Errorf("asked %d times without a pause", asked)
	}
	r.first(about, nil)
	if _, err := signIn(t, o, r); !errors.Is(err, ErrProviderDown) || r.asked(about) != asked {
		t.Errorf("within the pause: %v, asked %d times", err, r.asked(about)-asked)
	}
	c.pass(1)
	checkSignIn(t, "back", o, r, "")
	asked = r.asked(about)
	checkSignIn(t, "and once more", o, r, "")
	if r.asked(about) != asked {
		t.Error("asked again although known")
	}
	// Known, it serves on while its description cannot be had, and is asked again later.
	r.first(about, hangUp)
	c.pass(discoveryLife)
	checkSignIn(t, "from memory", o, r, "")
	if r.asked(about) == asked {
		t.Error("not asked after its time")
	}
	for _, path := range []string{"/token", "/keys"} {
		for name, fault := range map[string]http.HandlerFunc{"down": hangUp, "failing": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) }} {
			r.first(path, fault)
			if who, err := signIn(t, o, r); !errors.Is(err, ErrProviderDown) {
				t.Errorf("%s %s: %+v, %v", path, name, who, err)
			}
			r.first(path, nil)
			checkSignIn(t, path+" back", o, r, "")
		}
	}
}

// Many at once ask an unknown provider once.
func TestProviderIsAskedOnce(t *testing.T) {
	r, o, _ := newRealmAndClient(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, _, err := o.Begin(t.Context(), "/"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := r.asked("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// A client that leaves neither waits nor makes the provider look down to the others.
func TestClientsLeave(t *testing.T) {
	r, o, _ := newRealmAndClient(t)
	left, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, _ = o.Begin(left, "/")
	redirect, flow, err := o.Begin(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Finish(left, flow, r.browse(t, redirect)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	unknown := newOIDC(t, configFor(r))
	unknown.turn <- struct{}{} // somebody else is asking
	if _, _, err := unknown.Begin(left, "/"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestLongAnswersAreNotRead(t *testing.T) {
	for _, path := range []string{"/.well-known/openid-configuration", "/token", "/keys"} {
		for _, tt := range []struct {
			spaces int
			good   bool
		}{{16 << 10, true}, {maxProviderAnswer, false}} {
			r, o, _ := newRealmAndClient(t)
			r.spaces[path] = tt.spaces
			if who, err := signIn(t, o, r); (err == nil) != tt.good {
				t.Errorf("%s after %d spaces: %+v, %v", path, tt.spaces, who, err)
			}
		}
	}
}

func TestSlowProvidersAreGivenUp(t *testing.T) {
	r, _, _ := newRealmAndClient(t)
	config := configFor(r)
	config.Timeout = 50 * time.Millisecond
	r.first("/.well-known/openid-configuration", func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
	if _, _, err := newOIDC(t, config).Begin(t.Context(), "/"); !errors.Is(err, ErrProviderDown) {
		t.Error(err)
	}
}

// A code follows no redirect, and nothing goes out in plain text because the provider says so.
func TestSecretsStayWithTheProvider(t *testing.T) {
	r, o, _ := newRealmAndClient(t)
	other := newRealm(t, r.now)
	r.first("/token", func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, other.URL+"/token", http.StatusTemporaryRedirect)
	})
	if who, err := signIn(t, o, r); err == nil || other.asked("/token") != 0 {
		t.Errorf("redirected: %+v, %v", who, err)
	}
	for _, what := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri"} {
		for _, address := range []string{"http://provider.example/x", "javascript:alert(1)", "/token", ""} {
			r, o, _ := newRealmAndClient(t)
			r.describe = func(about map[string]any) { about[what] = address }
			if _, _, err := o.Begin(t.Context(), "/"); !errors.Is(err, ErrProviderDown) || !strings.Contains(err.Error(), errPlainHTTP.Error()) {
				t.Errorf("%s %q: %v", what, address, err)
			}
		}
	}
	r.describe = func(about map[string]any) { about["issuer"] = "https://elsewhere.example" }
	if _, _, err := newOIDC(t, configFor(r)).Begin(t.Context(), "/"); !errors.Is(err, ErrProviderDown) {
		t.Errorf("described as another issuer: %v", err)
	}
	// From an issuer on https not even to this machine.
	client := providerClient(nil, time.Second, false)
	if resp, err := client.Get(r.URL); !errors.Is(err, errPlainHTTP) {
		t.Errorf("%v, %v", resp, err)
	}
}

func TestOIDCConfig(t *testing.T) {
	good := OIDCConfig{Issuer: "https://id.example/realms/hatang", ClientID: clientID, RedirectURL: redirectURL, Key: make([]byte, 32), Now: time.Now}
	for _, tt := range []struct {
		change func(*OIDCConfig)
		fault  string
	}{
		{func(*OIDCConfig) {}, ""},
		{func(c *OIDCConfig) { c.Issuer = "http://localhost:8080" }, ""},
		{func(c *OIDCConfig) { c.Issuer = "http://127.3.2.1" }, ""},
		{func(c *OIDCConfig) { c.Issuer = "http://[::1]:8080/x" }, ""},
		{func(c *OIDCConfig) { c.RedirectURL = "http://localhost:8080/back" }, ""},
		{func(c *OIDCConfig) { c.Issuer = "http://id.example" }, "issuer"},
		{func(c *OIDCConfig) { c.Issuer = "http://localhost.example" }, "issuer"},
		{func(c *OIDCConfig) { c.Issuer = "http://192.168.1.1" }, "issuer"},
		{func(c *OIDCConfig) { c.Issuer = "ftp://localhost" }, "issuer"},
		{func(c *OIDCConfig) { c.Issuer = "" }, "issuer"},
		{func(c *OIDCConfig) { c.Issuer = "https://lan@id.example" }, "issuer"},
		{func(c *OIDCConfig) { c.Issuer = "https://id.example?x" }, "issuer"},
		{func(c *OIDCConfig) { c.Issuer = "https://id.example#x" }, "issuer"},
		{func(c *OIDCConfig) { c.RedirectURL = "http://hatang.example/back" }, "redirect"},
		{func(c *OIDCConfig) { c.RedirectURL = "/back" }, "redirect"},
		{func(c *OIDCConfig) { c.ClientID = "" }, "client id"},
		{func(c *OIDCConfig) { c.Key = c.Key[:31] }, "key"},
		{func(c *OIDCConfig) { c.Now = nil }, "now"},
	} {
		config := good
		tt.change(&config)
		if _, err := NewOIDC(config); (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
			t.Errorf("%+v: %v, want %q", config, err, tt.fault)
		}
	}
	if got := strings.Join(scopes(nil), " "); got != "openid email profile" {
		t.Error(got)
	}
	if got := strings.Join(scopes([]string{"groups"}), " "); got != "openid groups" {
		t.Error(got)
	}
}
