package httpapi

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// share is what one client has of a lane in these tests.
const share = 4

// begun is a turn that was asked for: its end, or why there is none.
type begun struct {
	of    client
	leave func()
	err   error
}

// queueUp asks for a turn, and returns when it is waiting.
func queueUp(ctx context.Context, t *testing.T, q *turns, of client, begins chan<- begun) {
	t.Helper()
	_, before := q.count()
	go func() {
		leave, err := q.enter(ctx, of, false, share)
		begins <- begun{of, leave, err}
	}()
	await(t, func() bool { _, n := q.count(); return n == before+1 })
}

// workNow asks for turns that must begin at once, one for each client.
func workNow(t *testing.T, q *turns, of ...client) []func() {
	t.Helper()
	var all []func()
	for _, c := range of {
		leave, err := q.enter(t.Context(), c, false, share)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, leave)
	}
	return all
}

func TestTurnsAtTheirLimits(t *testing.T) {
	const most, queue = 3, 64
	q := newTurns(most, queue)
	leaves := workNow(t, q, 1, 2, 3)
	begins := make(chan begun, queue)
	for i := range client(queue) {
		queueUp(t.Context(), t, q, 100+i, begins)
	}
	if _, err := q.enter(t.Context(), 999, false, share); !errors.Is(err, errNoRoom) {
		t.Errorf("one more than may wait: %v", err)
	}
	for i := range client(queue) {
		leaves[i]()
		leaves[i]() // once counts
		next := <-begins
		if next.err != nil || next.of != 100+i {
			t.Fatalf("turn %d is of client %d, %v", i, next.of, next.err)
		}
		leaves = append(leaves, next.leave)
		if working, waiting := q.count(); working != most || waiting != queue-1-int(i) {
			t.Fatalf("%d work, %d wait", working, waiting)
		}
	}
	for _, leave := range leaves {
		leave()
	}
	if working, waiting := q.count(); working != 0 || waiting != 0 || len(q.clients) != 0 {
		t.Errorf("at the end %d work, %d wait, %d clients are remembered", working, waiting, len(q.clients))
	}
}

func TestAClientsShareOfTurns(t *testing.T) {
	q := newTurns(2, 64)
	leaves := workNow(t, q, 1, 1)
	begins := make(chan begun, 4)
	ctx, stop := context.WithCancel(t.Context())
	queueUp(ctx, t, q, 1, begins)
	queueUp(ctx, t, q, 1, begins)
	if _, err := q.enter(t.Context(), 1, false, share); !errors.Is(err, errOwnShare) {
		t.Errorf("one more than its share: %v", err)
	}
	// Another comes last and is next: it has nothing at work.
	other := make(chan begun, 1)
	queueUp(t.Context(), t, q, 2, other)
	leaves[0]()
	next := <-other
	if next.err != nil {
		t.Fatal(next.err)
	}
	stop()
	for range 2 {
		if left := <-begins; !errors.Is(left.err, context.Canceled) {
			t.Errorf("a client that left: %v", left.err)
		}
	}
	workAgain := func() { leaves[1](); next.leave() }
	workAgain()
	if working, waiting := q.count(); working != 0 || waiting != 0 || len(q.clients) != 0 {
		t.Errorf("at the end %d work, %d wait, %d clients are remembered", working, waiting, len(q.clients))
	}
}

func TestATurnThatDoesNotComeInTime(t *testing.T) {
	q := newTurns(1, 1)
	defer workNow(t, q, 1)[0]()
	ctx, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	if _, err := q.enter(ctx, 2, false, share); !errors.Is(err, errLongQueue) {
		t.Errorf("%v", err)
	}
	if _, waiting := q.count(); waiting != 0 {
		t.Error("it still waits")
	}
}

// A turn that begins in the moment in which it is given up is handed on.
func TestATurnGivenUpAsItBegins(t *testing.T) {
	q := newTurns(1, 2)
	first := &turn{of: 1}
	second, third := &turn{of: 2}, &turn{of: 3}
	for _, own := range []*turn{first, second, third} {
		if err := q.begin(own, share); err != nil {
			t.Fatal(err)
		}
	}
	q.leave(first)
	q.giveUp(second)
	select {
	case <-third.ready:
	default:
		t.Error("the turn is lost")
	}
	q.leave(third)
	if working, waiting := q.count(); working != 0 || waiting != 0 {
		t.Errorf("%d work, %d wait", working, waiting)
	}
}

func TestPlacesKeptForStaff(t *testing.T) {
	q := newLimits(2, 0, nil).rows
	var leaves []func()
	enter := func(of client, staff bool) error {
		leave, err := q.enter(t.Context(), of, staff, 2)
		if err == nil {
			leaves = append(leaves, leave)
		}
		return err
	}
	for i := range 6 { // three clients, two streams each
		if err := enter(client(i/2), false); err != nil {
			t.Fatalf("stream %d: %v", i, err)
		}
	}
	if err := enter(0, false); !errors.Is(err, errOwnShare) {
		t.Errorf("a third stream of one client: %v", err)
	}
	if err := enter(9, false); !errors.Is(err, errNoRoom) {
		t.Errorf("a seventh stream of the public: %v", err)
	}
	for i := range 2 {
		if err := enter(100, true); err != nil {
			t.Errorf("stream %d of staff: %v", i, err)
		}
	}
	if err := enter(101, true); !errors.Is(err, errNoRoom) {
		t.Errorf("a ninth stream: %v", err)
	}
	leaves[0]()
	if err := enter(101, true); err != nil {
		t.Errorf("staff in the public's place: %v", err)
	}
	if err := enter(9, false); !errors.Is(err, errNoRoom) {
		t.Errorf("the public beside eight: %v", err)
	}
}

// Many come, wait, leave and lose patience at once; nothing is lost or counted twice.
func TestTurnsOfMany(t *testing.T) {
	const most = 3
	q := newTurns(most, 16)
	var now, done atomic.Int64
	var work sync.WaitGroup
	for i := range 32 {
		work.Go(func() {
			for range 200 {
				ctx, stop := context.WithCancel(context.Background())
				if i%4 == 0 {
					go stop()
				}
				leave, err := q.enter(ctx, client(i%11), false, share)
				if err == nil {
					if n := now.Add(1); n > most {
						t.Errorf("%d work", n)
					}
					done.Add(1)
					now.Add(-1)
					leave()
				}
				stop()
			}
		})
	}
	work.Wait()
	if working, waiting := q.count(); working != 0 || waiting != 0 || q.others != 0 || len(q.clients) != 0 || done.Load() == 0 {
		t.Errorf("%d work, %d wait, %d clients are remembered, %d had their turn", working, waiting, len(q.clients), done.Load())
	}
}
