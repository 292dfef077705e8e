package postgis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/singleflight"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// How long the reference layers are taken for what they were: as a rule, and where the
// database cannot be asked.
const (
	layersFresh = time.Second
	layersKept  = 5 * time.Second
	layersAsked = 3 * time.Second // how long asking may take
)

// knownLayers are the reference layers as they were read last.
type knownLayers struct {
	asking  singleflight.Group
	mu      sync.Mutex // held while they are read
	version int64
	read    atomic.Pointer[time.Time] // when the last reading that succeeded was begun
}

// age is how long ago they were known to be right.
func (k *knownLayers) age() time.Duration {
	if at := k.read.Load(); at != nil {
		return time.Since(*at)
	}
	return layersKept
}

// FreshLayers brings the registry's reference layers up to date unless they were so less
// than a second ago. The error is layer.ErrUnavailable where the database cannot say for
// longer than five seconds. Cost: nothing, or once a second a statement on one row.
func (s *Store) FreshLayers(ctx context.Context) error {
	if s.known.age() < layersFresh {
		return nil
	}
	asked := s.known.asking.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), layersAsked)
		defer cancel()
		return nil, s.readLayers(ctx)
	})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case answer := <-asked:
		if s.known.age() < layersKept {
			return nil
		}
		return answer.Err
	}
}

// readLayers reads the reference layers anew if they have changed.
func (s *Store) readLayers(ctx context.Context) error {
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	began := time.Now()
	var version int64
	if err := s.pool.kept.QueryRow(ctx, "SELECT coalesce(sum(version), 0)::bigint FROM layer_versions WHERE layer = 'reference_layers'").Scan(&version); err != nil {
		return translate("ask whether layers have changed", err)
	}
	if version != s.known.version {
		// Read after the version: what changes in between is read once more.
		references, err := readReferences(ctx, s.pool.kept)
		if err != nil {
			return translate("read the reference layers", err)
		}
		before := s.layers.Whole()
		if err := s.layers.Replace(references); err != nil {
			return fmt.Errorf("the reference layers of the database: %w", err)
		}
		s.known.version = version
		if anotherOfTheName(before, s.layers.Whole()) {
			// Statements that connections have prepared are for the tables of before.
			s.pool.public.Reset()
			s.pool.kept.Reset()
		}
	}
	s.known.read.Store(&began)
	return nil
}

// anotherOfTheName reports whether a layer of before is not there any more under its name.
func anotherOfTheName(before, now *layer.Set) bool {
	return slices.ContainsFunc(before.All(), func(l *layer.Layer) bool {
		same, ok := now.Get(l.Name)
		return !ok || l.Reference != nil && (same.Reference == nil || same.Reference.ID != l.Reference.ID)
	})
}

// readReferences returns the layers that have been published and not withdrawn, by name;
// rows that are no sound definitions are left out.
func readReferences(ctx context.Context, q querier) ([]layer.Layer, error) {
	rows, err := q.Query(ctx, "SELECT id, name, definition, staff_only, created_by, created_at FROM reference_layers WHERE withdrawn_at IS NULL ORDER BY name")
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r layer.Reference, err error) {
		var name string
		err = row.Scan(&r.ID, &name, &r.Definition, &r.StaffOnly, &r.CreatedBy, &r.CreatedAt)
		r.Name = name
		return r, err
	})
	var layers []layer.Layer
	for _, r := range all {
		// What somebody has written there by hand must not keep the others out.
		if len(r.Faults()) == 0 {
			layers = append(layers, r.Layer())
		}
	}
	return layers, err
}

// Publishing is a layer to be made of a file.
type Publishing struct {
	layer.Definition
	StaffOnly bool
	ImportOptions
	// Read calls add once a feature, in order, for the layer that the definition makes.
	Read func(l *layer.Layer, add func(Incoming) error) error
}

// PublishLayer makes a reference layer and brings a file into it, in one transaction. It
// fails with layer.ErrForbidden, *layer.InvalidError, layer.ErrNameTaken or
// layer.ErrTooManyLayers; where rows are refused nothing is made unless GoodRows is set,
// and the summary says why. Cost: as Import.
func (s *Store) PublishLayer(ctx context.Context, v account.Viewer, p Publishing) (ImportSummary, error) {
	var summary ImportSummary
	if err := p.Faults().Err(); err != nil {
		return summary, err
	}
	err := s.changeLayers(ctx, v, "publish "+p.Name, func(tx pgx.Tx) error {
		r := layer.Reference{Definition: p.Definition, StaffOnly: p.StaffOnly, CreatedBy: v.Name}
		if err := tx.QueryRow(ctx, "SELECT hatang_create_reference_layer($1, $2, $3)", p.Name, p.Definition, p.StaffOnly).Scan(&r.ID); err != nil {
			return err
		}
		l := r.Layer()
		var err error
		summary, err = importAll(ctx, tx, v, &l, p.ImportOptions, func(add func(Incoming) error) error { return p.Read(&l, add) })
		return err
	})
	if errors.Is(err, errNotApplied) {
		err = nil
	}
	return summary, err
}

// ChangeLayer changes what c has of a reference layer. It fails with layer.ErrForbidden,
// layer.ErrNotFound, *layer.InvalidError or layer.ErrNameTaken. A new name costs an update
// of the layer's history.
func (s *Store) ChangeLayer(ctx context.Context, v account.Viewer, name string, c layer.ReferenceChange) error {
	if err := c.Faults().Err(); err != nil {
		return err
	}
	return s.changeLayers(ctx, v, "change "+name, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SELECT hatang_change_reference_layer($1, $2, $3, $4)", name, c.Name, c, c.StaffOnly)
		return err
	})
}

// WithdrawLayer takes a reference layer away; its rows and their history stay in the
// database. It fails with layer.ErrForbidden or layer.ErrNotFound.
func (s *Store) WithdrawLayer(ctx context.Context, v account.Viewer, name string) error {
	return s.changeLayers(ctx, v, "withdraw "+name, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SELECT hatang_withdraw_reference_layer($1)", name)
		return err
	})
}

// changeLayers runs work in one transaction and reads the layers again at its end, so that
// the next answer has them.
func (s *Store) changeLayers(ctx context.Context, v account.Viewer, doing string, work func(pgx.Tx) error) error {
	if !v.Publishes() {
		return fmt.Errorf("%s, %s: %w", doing, v.Name, layer.ErrForbidden)
	}
	err := s.write(ctx, v, doing, func(tx pgx.Tx) error {
		// The limit of a request is too short for a layer's whole history.
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = '10min'"); err != nil {
			return err
		}
		return work(tx)
	})
	if errors.Is(err, errNotApplied) {
		return err
	}
	// Whatever came of it, what was known before is not to be relied on: where it cannot be
	// read now, the next answer needs it.
	s.known.read.Store(nil)
	reading, cancel := context.WithTimeout(context.WithoutCancel(ctx), layersAsked)
	defer cancel()
	_ = s.readLayers(reading)
	return err
}
