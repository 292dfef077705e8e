package account

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"path"
	"strings"
	"time"
	"unicode"
)

// flowLife is how long one may take at the provider.
const flowLife = 10 * time.Minute

// maxReturn bounds a return path in bytes, so that a sealed flow fits a cookie.
const maxReturn = 1024

// ErrFlow is returned for a sign-in that was not begun here, by this browser, or not lately: it must
// be begun anew.
var ErrFlow = errors.New("the sign-in was not begun here or has expired")

// Flow is a sign-in on its way through the provider. The browser carries it, sealed, in a
// cookie; what is in it is nobody else's to see.
type Flow struct {
	State    string    `json:"s"` // comes back with the code
	Nonce    string    `json:"n"` // comes back in the token
	Verifier string    `json:"v"` // PKCE: what the code is exchanged with
	Return   string    `json:"r"` // local path to go to afterwards
	Expires  time.Time `json:"e"`
}

// sealer makes the cipher of flows: a key of its own from that of the configuration, so that
// the latter may serve other purposes too.
func sealer(key []byte) (cipher.AEAD, error) {
	own, err := hkdf.Key(sha256.New, key, nil, "hatang oidc flow 1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Seal returns the flow as the value of a cookie, less than 4000 bytes, which only servers
// with the same key, issuer and client can read or make.
func (o *OIDC) Seal(flow Flow) string {
	flow.Return = SafeReturn(flow.Return)
	plain, err := json.Marshal(flow)
	if err != nil {
		return "" // only for a year beyond 9999; no flow opens from it
	}
	return base64.RawURLEncoding.EncodeToString(o.flows.Seal(nil, nil, plain, o.purpose()))
}

// Open returns the flow of a cookie. It returns ErrFlow for what Seal did not make with the same
// key, issuer and client, and for a flow that has expired.
func (o *OIDC) Open(sealed string, now time.Time) (Flow, error) {
	if len(sealed) > 4096 || strings.ContainsAny(sealed, "\r\n") { // the decoder would overlook line ends
		return Flow{}, ErrFlow
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return Flow{}, ErrFlow
	}
	plain, err := o.flows.Open(nil, nil, raw, o.purpose())
	if err != nil {
		return Flow{}, ErrFlow
	}
	var flow Flow
	if err := json.Unmarshal(plain, &flow); err != nil || !flow.lives(now) {
		return Flow{}, ErrFlow
	}
	return flow, nil
}

// lives reports whether the flow is whole and has not expired.
func (f Flow) lives(now time.Time) bool {
	return f.State != "" && f.Nonce != "" && now.Before(f.Expires)
}

// purpose is sealed with a flow: one of another provider or client does not open.
func (o *OIDC) purpose() []byte {
	text, _ := json.Marshal([]string{o.config.Issuer, o.config.ClientID}) // strings always are JSON
	return text
}

// SafeReturn returns the local path, with query and fragment, to which a browser may be
// sent after signing in; "/" for anything that could lead to another site.
func SafeReturn(target string) string {
	odd := func(r rune) bool { return r == '\\' || r == unicode.ReplacementChar || unicode.IsControl(r) }
	if len(target) > maxReturn || !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") || strings.ContainsFunc(target, odd) {
		return "/"
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.ContainsFunc(u.Path, odd) {
		return "/"
	}
	// Neither "//" nor ".." is in a path of ours, decoded or not.
	if clean := path.Clean(u.Path); clean != u.Path && clean+"/" != u.Path {
		return "/"
	}
	safe := u.String()
	if len(safe) > maxReturn || strings.HasPrefix(safe, "//") {
		return "/"
	}
	return safe
}
