package account

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	clientID     = "hatang"
	clientSecret = "a secret/of the client"
	redirectURL  = "https://hatang.example/sign-in/back"
)

// signer is a key of a provider.
type signer struct {
	kid       string
	algorithm jose.SignatureAlgorithm
	key       crypto.Signer
}

func newSigner(t testing.TB, kid string, algorithm jose.SignatureAlgorithm) signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch algorithm[:2] {
	case "RS", "PS":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES":
		curve := map[jose.SignatureAlgorithm]elliptic.Curve{jose.ES256: elliptic.P256(), jose.ES384: elliptic.P384(), jose.ES512: elliptic.P521()}[algorithm]
		key, err = ecdsa.GenerateKey(curve, rand.Reader)
	default:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return signer{kid: kid, algorithm: algorithm, key: key}
}

func (s signer) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: s.key.Public(), KeyID: s.kid, Use: "sig"}
}

// sign returns the claims as a real JWT.
func (s signer) sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	by, err := jose.NewSigner(jose.SigningKey{Algorithm: s.algorithm, Key: jose.JSONWebKey{Key: s.key, KeyID: s.kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := by.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// realm is a whole OpenID Connect provider, and an honest one until a test tells it otherwise
// through its fields, between requests.
type realm struct {
	*httptest.Server
	t   testing.TB
	now func() time.Time

	mu       sync.Mutex
	keys     []signer                    // in the key set
	by       signer                      // who signs
	claims   func(map[string]any)        // what it says otherwise
	token    func(map[string]any) string // how it signs otherwise
	describe func(map[string]any)        // how it describes itself otherwise
	before   map[string]http.HandlerFunc // what it does first at a path; if that answers, that is all
	spaces   map[string]int              // before the answer at a path
	lax      bool                        // looks at no verifier
	forgets  bool                        // lets codes be used again
	post     bool                        // takes the secret in the form, not in the header
	codes    map[string]url.Values       // requests by their code
	seen     map[string]int              // requests by their path
}

func newRealm(t testing.TB, now func() time.Time) *realm {
	r := &realm{t: t, now: now, codes: map[string]url.Values{}, seen: map[string]int{}, before: map[string]http.HandlerFunc{}, spaces: map[string]int{}}
	r.by = newSigner(t, "first", jose.ES256)
	r.keys = []signer{r.by}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// answered notes whether anything was written.
type answered struct {
	http.ResponseWriter
	yes bool
}

func (a *answered) WriteHeader(status int)      { a.yes = true; a.ResponseWriter.WriteHeader(status) }
func (a *answered) Write(b []byte) (int, error) { a.yes = true; return a.ResponseWriter.Write(b) }
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// padded writes so many spaces before what is written, which is good JSON still.
type padded struct {
	http.ResponseWriter
	spaces int
}

func (p *padded) Write(b []byte) (int, error) {
	_, err := p.ResponseWriter.Write(bytes.Repeat([]byte(" "), p.spaces))
	if p.spaces = 0; err != nil {
		return 0, err
	}
	return p.ResponseWriter.Write(b)
}

func (r *realm) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	r.seen[q.URL.Path]++
	before := r.before[q.URL.Path]
	r.mu.Unlock()
	if before != nil {
		noted := &answered{ResponseWriter: w}
		if before(noted, q); noted.yes {
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w = &padded{ResponseWriter: w, spaces: r.spaces[q.URL.Path]}
	switch q.URL.Path {
	case "/.well-known/openid-configuration":
		about := map[string]any{"issuer": r.URL, "authorization_endpoint": r.URL + "/authorise", "token_endpoint": r.URL + "/token", "jwks_uri": r.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}}
		if r.post {
			about["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
		}
		if r.describe != nil {
			r.describe(about)
		}
		answer(w, http.StatusOK, about)
	case "/keys":
		var set jose.JSONWebKeySet
		for _, k := range r.keys {
			set.Keys = append(set.Keys, k.public())
		}
		answer(w, http.StatusOK, set)
	case "/authorise":
		r.authorise(w, q.URL.Query())
	case "/token":
		r.exchange(w, q)
	default:
		http.NotFound(w, q)
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// asked returns how often a path was asked for.
func (r *realm) asked(path string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[path]
}

// first sets what is done first at a path; nil for nothing.
func (r *realm) first(path string, do http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before[path] = do
}

// authorise sends the browser back with a code, as if the person had signed in.
func (r *realm) authorise(w http.ResponseWriter, asked url.Values) {
	if asked.Get("response_type") != "code" || asked.Get("client_id") != clientID || asked.Get("redirect_uri") != redirectURL ||
		!strings.Contains(" "+asked.Get("scope")+" ", " openid ") || asked.Get("code_challenge_method") != "S256" || len(asked.Get("code_challenge")) != 43 {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_request", "asked": asked})
		return
	}
	code := randomText()
	r.codes[code] = asked
	w.Header().Set("Location", redirectURL+"?"+url.Values{"code": {code}, "state": asked["state"]}.Encode())
	w.WriteHeader(http.StatusFound)
}

// exchange gives a token for a code, once, to whoever knows the client's secret and the verifier.
func (r *realm) exchange(w http.ResponseWriter, q *http.Request) {
	id, secret, _ := q.BasicAuth()
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	if r.post {
		id, secret = q.PostFormValue("client_id"), q.PostFormValue("client_secret")
	}
	if id != clientID || secret != clientSecret {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	code := q.PostFormValue("code")
	asked, ok := r.codes[code]
	if !r.forgets {
		delete(r.codes, code)
	}
	sum := sha256.Sum256([]byte(q.PostFormValue("code_verifier")))
	proven := r.lax || base64.RawURLEncoding.EncodeToString(sum[:]) == asked.Get("code_challenge")
	if !ok || !proven || q.Method != http.MethodPost || q.PostFormValue("grant_type") != "authorization_code" || q.PostFormValue("redirect_uri") != redirectURL {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{"iss": r.URL, "sub": "lan-1", "aud": clientID, "nonce": asked.Get("nonce"), "iat": r.now().Unix(), "exp": r.now().Add(time.Minute).Unix(),
		"email": "lan@hatang.example", "email_verified": true, "name": "Nguyễn Thị Lan"}
	if r.claims != nil {
		r.claims(claims)
	}
	token := ""
	if r.token != nil {
		token = r.token(claims)
	} else {
		token = r.by.sign(r.t, claims)
	}
	answer(w, http.StatusOK, map[string]any{"access_token": randomText(), "token_type": "Bearer", "expires_in": 60, "id_token": token})
}

// browse is the browser and the person: it follows to the provider and returns what it is sent back with.
func (r *realm) browse(t testing.TB, redirect string) url.Values {
	t.Helper()
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(redirect)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil || !strings.HasPrefix(back.String(), redirectURL+"?") {
		t.Fatalf("the provider sends the browser to %v (%v)", back, err)
	}
	return back.Query()
}
