package memory

import (
	"context"
	"time"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// Catch brings the memory up to date at once, as its loops do bit by bit.
func (m *Memory) Catch(ctx context.Context) error {
	err := m.poll(ctx)
	m.catchUp(ctx)
	return err
}

// Has reports whether a layer would be answered from memory.
func (m *Memory) Has(v account.Viewer, l *layer.Layer, noOlder int64) bool {
	return m.setOf(v, l, noOlder) != nil
}

// MostRead is how many bytes the memory may hold.
func (m *Memory) MostRead(bytes int64) { m.rows.mostBytes = bytes }

// Age makes a set one that nobody has asked for of late, and lets what did not fit be
// tried again.
func (m *Memory) Age(v account.Viewer, l *layer.Layer) {
	k := (*m.rows.sets.Load())[setKey{v.Class(), l.Name}]
	k.used.Store(time.Now().Add(-2 * inUse).Unix())
	k.retryAt = time.Time{}
}

// MostHolders is how many keys and sessions are remembered at once.
const MostHolders = mostHolders
