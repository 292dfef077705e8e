package plan

import (
	"context"
	"fmt"
	"sync"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// What caches keep at most; past it, all is forgotten.
const (
	maxKeptFigures   = 500
	maxKeptUncovered = 64
	maxKeptClusters  = 64
)

// versionedCache keeps answers while the layers they were computed from stay as they were.
type versionedCache[T any] struct {
	mu   sync.Mutex
	most int
	kept map[string]keptAnswer[T]
}

type keptAnswer[T any] struct {
	versions layer.Versions
	answer   T
}

func newCache[T any](most int) *versionedCache[T] {
	return &versionedCache[T]{most: most, kept: map[string]keptAnswer[T]{}}
}

func (c *versionedCache[T]) get(key string, versions layer.Versions) (answer T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept[key]
	return k.answer, ok && k.versions.Agree(versions)
}

func (c *versionedCache[T]) put(key string, versions layer.Versions, answer T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= c.most {
		clear(c.kept)
	}
	c.kept[key] = keptAnswer[T]{versions, answer}
}

// maxReadings is how often facts are read again that changed while being read.
const maxReadings = 3

// asked is a question about one unit in force on the date, or about all of a level
// when code is "".
type asked struct {
	viewer      account.Viewer
	level, code string
	date        geo.Date
	more        []string // what else the answer depends on
}

// key tells questions apart; viewers of one class see the same.
func (a asked) key() string {
	return fmt.Sprintf("%q", append([]string{a.level, a.code, a.date.String(), a.viewer.Class()}, a.more...))
}

// keptOr returns the answer that is kept while the layers stay as they are, or makes
// it of facts and keeps it. answer returns also the versions of what it read itself:
// where they are not those of the facts, all is read again. layer.ErrNotFound where
// no unit has the code.
func keptOr[T any](ctx context.Context, m *Measurer, cache *versionedCache[T], q asked, answer func(Facts) (T, layer.Versions, error)) (T, error) {
	var none T
	now, err := m.finder.LayerVersions(ctx, q.viewer)
	if err != nil {
		return none, err
	}
	if kept, ok := cache.get(q.key(), now); ok {
		return kept, nil
	}
	for range maxReadings {
		facts, err := m.finder.UnitFacts(ctx, q.viewer, q.level, q.code, q.date)
		if err != nil {
			return none, err
		}
		if q.code != "" && len(facts.Units) == 0 {
			return none, layer.ErrNotFound
		}
		made, versions, err := answer(facts)
		if err != nil {
			return none, err
		}
		if facts.Versions.Agree(versions) {
			cache.put(q.key(), facts.Versions, made)
			return made, nil
		}
	}
	return none, fmt.Errorf("the layers kept changing while they were measured: %w", layer.ErrUnavailable)
}
