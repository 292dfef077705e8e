package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// NewToken makes the token of a session: 256 random bits in base64url. It goes into the
// cookie; Hash(token) is what is stored.
func NewToken() string { return randomText() }

// CSRFToken returns what the forms of a session send along, so that other sites' forms are
// told from ours. It follows from the session's token and tells nothing of it, so it need
// not be stored. There is none, "", without a session.
func CSRFToken(sessionToken string) string {
	if sessionToken == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(sessionToken))
	mac.Write([]byte("hatang csrf 1"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// ValidCSRF reports whether a form's token is that of the session.
func ValidCSRF(sessionToken, given string) bool {
	want := CSRFToken(sessionToken)
	return want != "" && hmac.Equal([]byte(want), []byte(given))
}

// randomText returns 256 random bits in base64url, 43 characters.
func randomText() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: it ends the program when the system has no randomness
	return base64.RawURLEncoding.EncodeToString(raw)
}
