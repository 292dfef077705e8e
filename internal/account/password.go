package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/text/unicode/norm"
)

// What a hash costs: the least that OWASP names for argon2id. One takes 19 MiB.
const (
	hashMemoryKiB = 19456
	hashPasses    = 2
	hashLanes     = 1
	hashSaltBytes = 16
	hashKeyBytes  = 32
)

// What a stored hash may ask for at most: a row written by someone else must not
// exhaust the server.
const (
	maxHashMemoryKiB = 64 << 10
	maxHashPasses    = 10
	maxHashLanes     = 4
	maxHashBytes     = 64 // of the salt and of the key
)

// DefaultHashMemory is how many bytes all hashes being made at once may take: a dozen
// of them.
const DefaultHashMemory = 256 << 20

// maxPasswordBytes is what is read of a password before it is normalised; 128 characters
// are never more.
const maxPasswordBytes = 4096

// ErrBadHash is returned for a stored hash that cannot be read or that asks for more
// than the server gives.
var ErrBadHash = errors.New("the stored hash of a password cannot be used")

// ErrLongPassword is returned for a password of more bytes than any that CheckPassword
// lets pass.
var ErrLongPassword = errors.New("the password is too long")

// Passwords hashes passwords and holds them against stored hashes, as many at once as
// the memory allows; the others wait.
type Passwords struct {
	memory int64 // bytes
	room   *semaphore.Weighted
	// argon is argon2.IDKey; tests count it.
	argon func(password, salt []byte, passes, memoryKiB uint32, lanes uint8, keyBytes uint32) []byte
}

// NewPasswords returns a Passwords that never takes more than memoryBytes, or
// DefaultHashMemory if that is not positive. Memory for one hash it takes in any case.
func NewPasswords(memoryBytes int64) *Passwords {
	if memoryBytes <= 0 {
		memoryBytes = DefaultHashMemory
	}
	memoryBytes = max(memoryBytes, hashMemoryKiB<<10)
	return &Passwords{memory: memoryBytes, room: semaphore.NewWeighted(memoryBytes), argon: argon2.IDKey}
}

// Hash returns what is stored of a password, a PHC string. Passwords are compared in NFC,
// however the keyboard composes. It returns ErrLongPassword, or the error of the context if
// that ends while others are being hashed.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	text, ok := passwordText(password)
	if !ok {
		return "", ErrLongPassword
	}
	h := passwordHash{memoryKiB: hashMemoryKiB, passes: hashPasses, lanes: hashLanes, salt: make([]byte, hashSaltBytes), key: make([]byte, hashKeyBytes)}
	_, _ = rand.Read(h.salt) // never fails: it ends the program when the system has no randomness
	key, err := p.derive(ctx, text, h)
	if err != nil {
		return "", err
	}
	h.key = key
	return h.String(), nil
}

// Matches reports whether the password is the one that the PHC string is of. An empty
// string is of nobody's: the answer is false and takes the same work, so that nobody
// learns from the time whom there is. It returns ErrBadHash, after the same work too, or
// the error of the context if that ends while others are being hashed.
func (p *Passwords) Matches(ctx context.Context, phc, password string) (bool, error) {
	stored, fault := nobody, error(nil)
	if phc != "" {
		if h, err := p.read(phc); err != nil {
			fault = err
		} else {
			stored = h
		}
	}
	text, fits := passwordText(password)
	key, err := p.derive(ctx, text, stored)
	if err != nil {
		return false, err
	}
	same := subtle.ConstantTimeCompare(key, stored.key) == 1
	return same && fits && phc != "" && fault == nil, fault
}

// read parses a stored hash and refuses one for which there will never be room.
func (p *Passwords) read(phc string) (passwordHash, error) {
	h, err := parseHash(phc)
	if err == nil && h.bytes() > p.memory {
		err = fmt.Errorf("%w: it takes %d bytes of %d", ErrBadHash, h.bytes(), p.memory)
	}
	return h, err
}

// derive runs argon2 at the cost of h once there is room.
func (p *Passwords) derive(ctx context.Context, password []byte, h passwordHash) ([]byte, error) {
	if err := p.room.Acquire(ctx, h.bytes()); err != nil {
		return nil, err
	}
	defer p.room.Release(h.bytes())
	return p.argon(password, h.salt, h.passes, h.memoryKiB, h.lanes, uint32(len(h.key))), nil
}

// passwordText is what is hashed of a password; false, and nothing, if that is too long.
func passwordText(password string) ([]byte, bool) {
	if len(password) > maxPasswordBytes {
		return nil, false
	}
	return norm.NFC.Bytes([]byte(password)), true
}

// nobody is held against the passwords given for people who are not there.
var nobody = passwordHash{memoryKiB: hashMemoryKiB, passes: hashPasses, lanes: hashLanes,
	salt: make([]byte, hashSaltBytes), key: make([]byte, hashKeyBytes)}

// passwordHash is a PHC string of argon2id, taken apart.
type passwordHash struct {
	memoryKiB, passes uint32
	lanes             uint8
	salt, key         []byte
}

// bytes is the memory that argon2 takes to derive the key.
func (h passwordHash) bytes() int64 { return int64(h.memoryKiB) << 10 }

// String returns the PHC string.
func (h passwordHash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memoryKiB, h.passes, h.lanes,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.key))
}

// parseHash takes a PHC string apart. It returns ErrBadHash unless the string is exactly as
// String would write it and all in it is within bounds.
func parseHash(phc string) (passwordHash, error) {
	parts := strings.Split(phc, "$")
	if len(phc) > 512 || len(parts) != 6 {
		return passwordHash{}, ErrBadHash
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return passwordHash{}, ErrBadHash
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	h := passwordHash{salt: salt, key: key, memoryKiB: cost(costs[0], maxHashMemoryKiB), passes: cost(costs[1], maxHashPasses),
		lanes: uint8(cost(costs[2], maxHashLanes))}
	switch {
	case saltErr != nil, keyErr != nil, h.passes == 0, h.lanes == 0, h.memoryKiB < 8*uint32(h.lanes),
		len(salt) < 8, len(salt) > maxHashBytes, len(key) < 16, len(key) > maxHashBytes, h.String() != phc:
		return passwordHash{}, ErrBadHash
	}
	return h, nil
}

// cost reads the number of "m=19456"; 0 if it is none or over the bound.
func cost(s string, bound uint64) uint32 {
	_, digits, _ := strings.Cut(s, "=")
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n > bound {
		return 0
	}
	return uint32(n)
}
