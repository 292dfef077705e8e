package postgis_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// Slow readers of the public hold every connection they can get; staff, readiness and
// keys are answered all the same.
func TestSlowPublicReadersLeaveTheStoreToStaff(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "provinces")
	id := create(t, s, l, sample(t, l, "11"))
	ctx := context.Background()
	public := account.WithViewer(ctx, account.Anonymous())
	most := map[string]int{}
	s.PoolUse(func(lane string, _, n int) { most[lane] = n })
	reading, release := make(chan struct{}), make(chan struct{})
	var readers sync.WaitGroup
	for range most["public"] {
		readers.Go(func() {
			err := s.Features(public, account.Anonymous(), l, layer.Query{}, func(*layer.Row) error {
				reading <- struct{}{}
				<-release
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range most["public"] {
		<-reading
	}
	if _, err := s.Feature(public, account.Anonymous(), l, id); !errors.Is(err, layer.ErrUnavailable) {
		t.Errorf("one more of the public: %v", err)
	}
	if _, err := s.Feature(account.WithViewer(ctx, officer()), officer(), l, id); err != nil {
		t.Errorf("an officer: %v", err)
	}
	if err := s.Ready(public); err != nil {
		t.Errorf("readiness, whoever asks: %v", err)
	}
	if _, err := s.KeyViewer(public, "htg_none"); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("a key: %v", err)
	}
	if _, err := s.LayerVersions(ctx, account.Anonymous()); err != nil {
		t.Errorf("the server's own work: %v", err)
	}
	close(release)
	readers.Wait()
	if _, err := s.Feature(public, account.Anonymous(), l, id); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
