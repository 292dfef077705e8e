package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

const keyPrefix = "htg_"

// NewKey makes an API key: 256 random bits behind a short public id by which it
// is named and looked up. Only Hash(key) is stored.
func NewKey() (id, key string) {
	raw := make([]byte, 32)
	name := make([]byte, 6)
	// crypto/rand.Read never fails: it ends the program when the system has no randomness.
	_, _ = rand.Read(raw)
	_, _ = rand.Read(name)
	id = strings.ToLower(base64.RawURLEncoding.EncodeToString(name))
	id = strings.NewReplacer("-", "x", "_", "y").Replace(id)
	return id, keyPrefix + id + "_" + base64.RawURLEncoding.EncodeToString(raw)
}

// Hash returns what is stored of a key. Keys are 256 random bits, so a plain
// SHA-256 is enough, and a slow hash would be a way to exhaust the server.
func Hash(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}
