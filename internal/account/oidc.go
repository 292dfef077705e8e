package account

import (
	"context"
	"crypto/cipher"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/text/unicode/norm"
)

// providerTimeout is how long a provider may take over one answer when nothing else is said.
const providerTimeout = 10 * time.Second

// discoveryLife is how long a provider's description of itself is used before it is asked again.
const discoveryLife = time.Hour

// discoveryPause is for how long a provider that was down is not asked again.
const discoveryPause = 5 * time.Second

// tokenAlgorithms are the signatures that a token may have. None of them can be made with what is
// public.
var tokenAlgorithms = []string{oidc.RS256, oidc.ES256, oidc.PS256, oidc.EdDSA}

// ErrProviderDown is returned when the provider cannot be reached or does not answer as one; the
// same may succeed later.
var ErrProviderDown = errors.New("the sign-in provider does not answer")

// ErrSignIn is returned when the provider refuses the sign-in, the person does, or what the
// provider says cannot be trusted.
var ErrSignIn = errors.New("the sign-in was refused")

// OIDCConfig says at which provider people sign in.
type OIDCConfig struct {
	Issuer       string // https; http on this machine only
	ClientID     string
	ClientSecret string   // "" for a client without one
	RedirectURL  string   // of ours, to which the provider sends people back; https, or http on this machine
	Scopes       []string // openid, email and profile if empty; openid in any case
	Key          []byte   // 32 random bytes, the same on every server: seals flows

	Now       func() time.Time
	Timeout   time.Duration     // of one answer of the provider; 10 s if zero
	Transport http.RoundTripper // how the provider is reached; that of net/http if nil
}

// OIDC signs people in through an OpenID Connect provider: authorization code flow
// with PKCE. It is safe for concurrent use.
//
// Decided: the provider is asked about itself when the first person signs in, and again after a
// pause when it was down, so that the server starts and runs without it. Its keys are fetched for each
// sign-in, a few a minute, so that a new key works and a withdrawn one stops at once.
type OIDC struct {
	config OIDCConfig
	client *http.Client
	plain  bool // the issuer is on this machine, without TLS
	flows  cipher.AEAD

	found atomic.Pointer[provider]
	// turn is held while the provider is asked about itself, and guards what is below.
	turn    chan struct{}
	retryAt time.Time
	fault   error
}

// provider is what a provider says about itself.
type provider struct {
	oauth    oauth2.Config
	keys     string    // address of its keys
	namesIss bool      // it says who it is beside the code (RFC 9207)
	at       time.Time // when it said so
}

// Identity is who somebody is, as the provider says. Issuer and Subject together name a person for
// good; the rest may change.
type Identity struct {
	Issuer        string
	Subject       string
	Email         string // "" if not told
	EmailVerified bool   // the provider has made sure that the address is the person's
	Name          string // "" if not told
}

// NewOIDC returns sign-in through a provider, which need not be up. It returns an error that lists
// what is wrong with the configuration.
func NewOIDC(config OIDCConfig) (*OIDC, error) {
	issuer, err := url.Parse(config.Issuer)
	var faults []error
	if err != nil || !private(issuer, true) || issuer.User != nil || issuer.RawQuery != "" || issuer.Fragment != "" {
		faults = append(faults, fmt.Errorf("issuer %q: must be an https address without query or fragment", config.Issuer))
	}
	if back, err := url.Parse(config.RedirectURL); err != nil || !private(back, true) || back.Fragment != "" {
		faults = append(faults, fmt.Errorf("redirect URL %q: must be an https address without fragment", config.RedirectURL))
	}
	if config.ClientID == "" {
		faults = append(faults, errors.New("client id: is missing"))
	}
	if len(config.Key) != 32 {
		faults = append(faults, fmt.Errorf("key: must be 32 bytes, not %d", len(config.Key)))
	}
	if config.Now == nil {
		faults = append(faults, errors.New("now: is missing"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("OpenID Connect: %w", err)
	}
	flows, err := sealer(config.Key)
	if err != nil {
		return nil, err
	}
	if config.Timeout <= 0 {
		config.Timeout = providerTimeout
	}
	config.Scopes = scopes(config.Scopes)
	plain := loopback(issuer)
	return &OIDC{config: config, plain: plain, flows: flows, turn: make(chan struct{}, 1), client: providerClient(config.Transport, config.Timeout, plain)}, nil
}

func scopes(asked []string) []string {
	if len(asked) == 0 {
		return []string{oidc.ScopeOpenID, oidc.ScopeEmail, oidc.ScopeProfile}
	}
	if slices.Contains(asked, oidc.ScopeOpenID) {
		return slices.Clone(asked)
	}
	return append([]string{oidc.ScopeOpenID}, asked...)
}

// Begin returns where to send the browser, and the flow to give it sealed in a cookie. Afterwards it
// returns to the path, made safe. Begin returns ErrProviderDown, or the context's error.
func (o *OIDC) Begin(ctx context.Context, returnPath string) (redirectURL string, flow Flow, err error) {
	p, err := o.provider(ctx)
	if err != nil {
		return "", Flow{}, err
	}
	flow = Flow{State: randomText(), Nonce: randomText(), Verifier: oauth2.GenerateVerifier(),
		Return: SafeReturn(returnPath), Expires: o.config.Now().Add(flowLife)}
	return p.oauth.AuthCodeURL(flow.State, oidc.Nonce(flow.Nonce), oauth2.S256ChallengeOption(flow.Verifier)), flow, nil
}

// Finish returns who signed in, from the flow of the browser's cookie and the query with which
// the provider sent it back. It returns ErrFlow, ErrSignIn, ErrProviderDown or the context's error. The caller
// takes the cookie away, however it ends.
func (o *OIDC) Finish(ctx context.Context, flow Flow, query url.Values) (Identity, error) {
	if !flow.lives(o.config.Now()) || !same(one(query, "state"), flow.State) {
		return Identity{}, ErrFlow
	}
	p, err := o.provider(ctx)
	if err != nil {
		return Identity{}, err
	}
	if iss := one(query, "iss"); iss != o.config.Issuer && (p.namesIss || query.Has("iss")) {
		return Identity{}, refused("the answer is of issuer %q", iss)
	}
	if query.Has("error") {
		return Identity{}, refused("the provider says %q", one(query, "error"))
	}
	code := one(query, "code")
	if code == "" {
		return Identity{}, refused("there is no code")
	}
	raw, err := o.exchange(ctx, p, code, flow.Verifier)
	if err != nil {
		return Identity{}, err
	}
	return o.identity(ctx, p, raw, flow.Nonce)
}

// exchange gets the ID token for a code.
func (o *OIDC) exchange(ctx context.Context, p *provider, code, verifier string) (string, error) {
	token, err := p.oauth.Exchange(oidc.ClientContext(ctx, o.client), code, oauth2.VerifierOption(verifier))
	var refusal *oauth2.RetrieveError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.As(err, &refusal):
		return "", refused("the provider says %q to the code", refusal.ErrorCode)
	case err != nil:
		return "", down(err)
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return "", refused("there is no ID token")
	}
	return raw, nil
}

// identity reads an ID token and makes sure that it is of this provider, for this client and this
// flow, and in time.
func (o *OIDC) identity(ctx context.Context, p *provider, raw, nonce string) (Identity, error) {
	keys := &providerKeys{set: oidc.NewRemoteKeySet(oidc.ClientContext(ctx, o.client), p.keys)}
	verifier := oidc.NewVerifier(o.config.Issuer, keys, &oidc.Config{ClientID: o.config.ClientID, SupportedSigningAlgs: tokenAlgorithms, Now: o.config.Now})
	token, err := verifier.Verify(ctx, raw)
	switch {
	case ctx.Err() != nil:
		return Identity{}, ctx.Err()
	case keys.down != nil:
		return Identity{}, down(keys.down)
	case err != nil:
		return Identity{}, refused("%s", cut(err.Error()))
	}
	var claims struct {
		AuthorizedParty string `json:"azp"`
		Email           string `json:"email"`
		EmailVerified   any    `json:"email_verified"` // some providers send a string
		Name            string `json:"name"`
	}
	if err := token.Claims(&claims); err != nil {
		return Identity{}, refused("%s", cut(err.Error()))
	}
	switch party := claims.AuthorizedParty; {
	case token.Issuer != o.config.Issuer: // the library lets one provider name itself otherwise
		return Identity{}, refused("the token is of issuer %q", token.Issuer)
	case party != "" && party != o.config.ClientID, party == "" && len(token.Audience) > 1:
		return Identity{}, refused("the token is for the authorised party %q", party)
	case !same(token.Nonce, nonce):
		return Identity{}, refused("the token is of another nonce")
	case token.Subject == "" || len(token.Subject) > 255:
		return Identity{}, refused("the token has no subject, or a long one")
	}
	return Identity{Issuer: token.Issuer, Subject: token.Subject, Email: norm.NFC.String(claims.Email), Name: norm.NFC.String(claims.Name),
		EmailVerified: claims.Email != "" && (claims.EmailVerified == true || claims.EmailVerified == "true")}, nil
}

// providerKeys tells a provider that does not give its keys from a signature that is wrong.
type providerKeys struct {
	set  oidc.KeySet
	down error
}

// VerifySignature returns what is signed.
func (k *providerKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.set.VerifySignature(ctx, jwt)
	var unreachable *url.Error
	if errors.As(err, &unreachable) {
		k.down = err
	}
	return payload, err
}

// one returns the parameter's value; "" unless there is exactly one.
func one(query url.Values, name string) string {
	if len(query[name]) != 1 {
		return ""
	}
	return query[name][0]
}

// same compares secrets; "" is none.
func same(a, b string) bool { return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSignIn, cut(fmt.Sprintf(format, args...)))
}

func down(err error) error { return fmt.Errorf("%w: %s", ErrProviderDown, cut(err.Error())) }

// cut shortens what others wrote, for the log.
func cut(s string) string {
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return strings.ToValidUTF8(s, "")
}
