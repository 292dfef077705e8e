package postgis

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// While statements are under way questions wait for one that begins later, and who leaves
// or fails keeps nobody else from his answer.
func TestQuestionsAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g rowsAsked
		var mu sync.Mutex
		var sizes []int
		goOn := make(chan struct{})
		broken := errors.New("broken")
		read := func(ctx context.Context, questions []*lookUp[int64, rowFound]) error {
			mu.Lock()
			sizes = append(sizes, len(questions))
			mu.Unlock()
			<-goOn
			if err := ctx.Err(); err != nil {
				return err
			}
			for _, q := range questions {
				if q.of == 13 {
					return broken
				}
				q.answer.row = &layer.Row{ID: q.of}
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var done sync.WaitGroup
		answers := map[string][]*lookUp[int64, rowFound]{}
		ask := func(who string, ctx context.Context, key rowKind, id int64) {
			done.Go(func() {
				one := g.ask(ctx, key, id, read)
				mu.Lock()
				defer mu.Unlock()
				answers[who] = append(answers[who], one)
			})
			synctest.Wait()
		}
		ask("leaves", ctx, rowKind{class: "public"}, 1)
		ask("stays", t.Context(), rowKind{class: "public"}, 2)
		for i := range int64(mostGathered + 3) {
			ask("stays", t.Context(), rowKind{class: "public"}, 100+i)
		}
		ask("fails", t.Context(), rowKind{class: "officer"}, 13)
		cancel()
		synctest.Wait()
		if n := len(answers["leaves"]); n != 1 || !errors.Is(answers["leaves"][0].err, context.Canceled) {
			t.Errorf("who leaves gets %d answers", n)
		}
		if !slices.Equal(sizes, []int{1, 1, 1}) {
			t.Errorf("statements for %v are under way: want one for each of the first two, and one of another class", sizes)
		}
		close(goOn)
		done.Wait()
		synctest.Wait()
		if slices.Sort(sizes[3:]); !slices.Equal(sizes[3:], []int{3, mostGathered}) {
			t.Errorf("later statements are for %v", sizes[3:])
		}
		seen := map[int64]bool{}
		for _, one := range answers["stays"] {
			if one.err != nil || one.answer.row == nil || one.answer.row.ID != one.of {
				t.Errorf("%d is answered with %v, %v", one.of, one.answer.row, one.err)
			}
			seen[one.of] = true
		}
		if len(seen) != mostGathered+4 || !errors.Is(answers["fails"][0].err, broken) || len(g.of) != 0 {
			t.Errorf("%d are answered; %v; %d kinds are left", len(seen), answers["fails"][0].err, len(g.of))
		}
	})
}

// Many who ask at once get what each gets alone, and rows of their own.
func TestManyAskForRowsAtOnce(t *testing.T) {
	s, l := scattered(t)
	ctx := context.Background()
	viewers := []account.Viewer{account.Anonymous(), account.Terminal("test"), {Organisation: "VNPT", Name: "key:o", Grants: []account.Grant{{Role: account.Operator}}}}
	var asking sync.WaitGroup
	for worker := range 12 {
		asking.Go(func() {
			v := viewers[worker%len(viewers)]
			ctx := account.WithViewer(ctx, v)
			for i := range int64(60) {
				id := 1 + i*i%50 // the same ones again and again
				row, versions, err := s.FeatureAmongVersions(ctx, v, l, id)
				if err != nil || !slices.Equal(versions, []int64{id}) {
					t.Errorf("%d: versions %v, %v", id, versions, err)
					return
				}
				alone, err := s.Feature(ctx, v, l, id)
				if err != nil || row.ID != id || row.ShownAs != alone.ShownAs || string(row.Geometry) != string(alone.Geometry) || !slices.EqualFunc(row.Values, alone.Values, slices.Equal) {
					t.Errorf("%d is another than alone: %v, %v, %v", id, row, alone, err)
					return
				}
				clear(row.Geometry)
				row.Values[0] = nil
			}
			if _, _, err := s.FeatureAmongVersions(ctx, v, l, 1<<40); !errors.Is(err, layer.ErrNotFound) {
				t.Errorf("a row that is not there: %v", err)
			}
		})
	}
	asking.Wait()
}
