package permit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Signer signs what is recorded.
type Signer interface {
	// Sign returns the id of the key in use and its Ed25519 signature of the message, of 64
	// bytes; ErrNoSigningKey where there is none.
	Sign(message []byte) (key string, signature []byte, err error)
}

// ErrNoSigningKey says that this server has no key to sign with, or one that has been ended.
var ErrNoSigningKey = errors.New("no signing key is in use on this server")

// SigningKey is the public half of a key.
type SigningKey struct {
	ID     string
	Public ed25519.PublicKey
	From   time.Time
	Until  time.Time // from when on nothing is signed by it; zero for the one in use
}

// KeyID returns the id of a key: its thumbprint as a JWK (RFC 7638, RFC 8037).
func KeyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// jwk is a key as a JSON Web Key (RFC 8037), with when it was in use.
type jwk struct {
	Type      string     `json:"kty"`
	Curve     string     `json:"crv"`
	X         string     `json:"x"`
	ID        string     `json:"kid"`
	Use       string     `json:"use"`
	Algorithm string     `json:"alg"`
	From      time.Time  `json:"valid_from"`
	Until     *time.Time `json:"valid_until"`
}

// MarshalJSON implements json.Marshaler: the key as a JWK.
func (k SigningKey) MarshalJSON() ([]byte, error) {
	w := jwk{Type: "OKP", Curve: "Ed25519", X: base64.RawURLEncoding.EncodeToString(k.Public), ID: k.ID, Use: "sig", Algorithm: "EdDSA", From: k.From}
	if !k.Until.IsZero() {
		w.Until = &k.Until
	}
	return json.Marshal(w)
}

// UnmarshalJSON implements json.Unmarshaler. A key of another kind, or one whose id is not
// its thumbprint, is an error.
func (k *SigningKey) UnmarshalJSON(raw []byte) error {
	var w jwk
	if err := json.Unmarshal(raw, &w); err != nil {
		return err
	}
	public, err := base64.RawURLEncoding.DecodeString(w.X)
	if err != nil || w.Type != "OKP" || w.Curve != "Ed25519" || len(public) != ed25519.PublicKeySize || KeyID(public) != w.ID {
		return fmt.Errorf("the key %.60q is no Ed25519 key by its thumbprint", w.ID)
	}
	*k = SigningKey{ID: w.ID, Public: public, From: w.From}
	if w.Until != nil {
		k.Until = *w.Until
	}
	return nil
}
