package memory

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"hatang/internal/account"
)

// mostHolders is how many keys and sessions are remembered at once; then all are forgotten.
const mostHolders = 4096

// Holder is who has a secret, as one state of the database says.
type Holder[A any] struct {
	Of     A             // shared: nobody changes it
	Server string        // which database it is, and since when it runs
	Access int64         // version of who may do what
	For    time.Duration // until it ends by itself
}

// access is who has which secrets, in one database, as long as nothing changes by which
// that could be another.
type access struct {
	server         string
	version        int64
	keys, sessions holders
}

// is reports whether what one knows, the other could.
func (a *access) is(other *access) bool {
	return a.server == other.server && a.version == other.version
}

// holders are who has which secrets, by their hashes. Safe for concurrent use.
type holders struct {
	of sync.Map
	n  atomic.Int64
}

// remembered is who has a secret, and until when.
type remembered[A any] struct {
	of    A
	until time.Time
}

// KeyViewer returns whose key it is; layer.ErrNotFound for one unknown, expired or revoked.
// Cost: a hash; a question to the database where it is not remembered.
//
// A key that is revoked through this server is refused from then on; through another, or by
// SQL, as soon as this one is told, and after maxAge at the latest.
func (m *Memory) KeyViewer(ctx context.Context, key string) (account.Viewer, error) {
	return holderOf(ctx, m, key, func(a *access) *holders { return &a.keys }, m.register.KeyHolder)
}

// SessionViewer returns who is signed in; layer.ErrNotFound for a session that is over. As
// KeyViewer.
func (m *Memory) SessionViewer(ctx context.Context, token string) (account.Session, error) {
	return holderOf(ctx, m, token, func(a *access) *holders { return &a.sessions }, m.register.SessionHolder)
}

func holderOf[A any](ctx context.Context, m *Memory, secret string, kind func(*access) *holders, ask func(context.Context, string) (Holder[A], error)) (A, error) {
	told, hash, began := m.fresh(), string(account.Hash(secret)), time.Now()
	if told != nil {
		if known, ok := kind(told.access).of.Load(hash); ok && began.Before(known.(remembered[A]).until) {
			return known.(remembered[A]).of, nil
		}
	}
	holder, err := ask(ctx, hash)
	if err == nil && told != nil && holder.Server == told.access.server && holder.Access == told.access.version {
		kind(told.access).add(hash, remembered[A]{holder.Of, began.Add(holder.For)})
	}
	return holder.Of, err
}

func (h *holders) add(hash string, one any) {
	if h.n.Add(1) > mostHolders {
		h.of.Clear()
		h.n.Store(1)
	}
	h.of.Store(hash, one)
}
