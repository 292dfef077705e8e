package httpapi

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// mostPublicRate bounds Config.PublicRate, requests a second.
const mostPublicRate = 1e6

// badKeyRate is how often an address may send keys that are not good.
var badKeyRate = perSecond(1, 60)

// How often it is recorded that sign-ins were refused: who is kept out must not fill the
// audit, from however many addresses, nor keep others waiting for it.
var (
	noteRate     = perSecond(1./900, 3) // of an address
	allNotesRate = perSecond(1, 6)      // of all
)

// reason is why a request is turned away.
type reason uint8

const (
	forQueue   reason = iota // the queue of heavy requests is full, or too long to be waited for
	forStreams               // as many streams of rows as there may be
	forBodies                // as many large bodies as there may be
	forShare                 // the client has its share of these
	forKeys                  // bad keys
	forWrites
	forRate // reads, where they are limited
	forSignIns
	reasons
	forNotes // no refusal: what is recorded of them
)

func (why reason) String() string {
	return [reasons]string{"queue", "streams", "bodies", "share", "keys", "writes", "rate", "sign_ins"}[why]
}

// limits decide whether a request is worked on now, later or not at all, so that no
// client keeps others out. They are safe for concurrent use.
type limits struct {
	clients
	heavy, heavyStaff *turns
	tiles, tilesStaff *turns
	rows, bodies      *turns // which nobody waits for
	uploads           *turns // nor for these
	read              rate   // of the public, of an address
	buckets           *buckets
	good              goodKeys
	signIns           *signIns
	now               func() time.Duration // since some moment; never goes back
	refused           [reasons]atomic.Int64
}

// newLimits returns limits for a server with so many cores. publicRate is how many
// requests a second an address may make without a key, 0 for any number.
func newLimits(cores int, publicRate float64, trusted []netip.Prefix) *limits {
	start := time.Now()
	l := &limits{
		clients: clients{maphash.MakeSeed(), trusted},
		heavy:   newTurns(cores, maxQueued), heavyStaff: newTurns(cores, maxQueued),
		tiles: newTurns(cores, maxTilesQueued), tilesStaff: newTurns(cores, maxTilesQueued),
		rows: newTurns(maxStreams, 0), bodies: newTurns(maxBodies, 0), uploads: newTurns(maxUploads, 0),
		read:    perSecond(publicRate, int64(math.Ceil(2*publicRate))),
		buckets: new(buckets),
		signIns: newSignIns(cores),
		now:     func() time.Duration { return time.Since(start) },
	}
	l.rows.kept, l.bodies.kept = staffStreams, staffBodies
	return l
}

// leaves is the leave of requests that hold nothing.
func leaves() {}

// enter lets in a request of a viewer who is known, at once, after a wait, or not: then
// the error is a problem with Retry-After, or the context's. leave must be called once
// the work is done, and may be called again.
func (l *limits) enter(rt route, viewer account.Viewer, r *http.Request) (leave func(), err error) {
	if err := l.checkRate(rt, viewer, r); err != nil {
		return nil, err
	}
	switch {
	case rt.asks && isRows(r):
		return l.enterStream(viewer, r)
	case rt.upload:
		leave, err = l.uploads.enter(r.Context(), l.of(viewer, r), true, ownUploads)
		return leave, l.turnedAway(err, forStreams)
	case rt.heavy:
		return l.enterHeavy(viewer, r)
	}
	return leaves, nil
}

// enterHeavy waits for the turn of a heavy request, in its context; as enter otherwise.
func (l *limits) enterHeavy(viewer account.Viewer, r *http.Request) (leave func(), err error) {
	lane := l.heavy
	if viewer.Staff() {
		lane = l.heavyStaff
	}
	leave, err = lane.enter(r.Context(), l.of(viewer, r), viewer.Staff(), allowanceOf(viewer).heavy)
	return leave, l.turnedAway(err, forQueue)
}

// enterTile waits for the turn to draw a layer of a tile; as enter otherwise.
func (l *limits) enterTile(ctx context.Context, viewer account.Viewer, r *http.Request) (leave func(), err error) {
	lane := l.tiles
	if viewer.Staff() {
		lane = l.tilesStaff
	}
	leave, err = lane.enter(ctx, l.of(viewer, r), viewer.Staff(), allowanceOf(viewer).tiles)
	return leave, l.turnedAway(err, forQueue)
}

// enterStream lets in a stream of rows; as enter otherwise.
func (l *limits) enterStream(viewer account.Viewer, r *http.Request) (leave func(), err error) {
	leave, err = l.rows.enter(r.Context(), l.of(viewer, r), viewer.Staff(), allowanceOf(viewer).streams)
	return leave, l.turnedAway(err, forStreams)
}

// enterBody lets in a large body; as enter otherwise.
func (l *limits) enterBody(viewer account.Viewer, r *http.Request) (leave func(), err error) {
	leave, err = l.bodies.enter(r.Context(), l.of(viewer, r), viewer.Staff(), allowanceOf(viewer).bodies)
	return leave, l.turnedAway(err, forBodies)
}

// turnedAway is what a client is told who had no turn; nil for one who had.
func (l *limits) turnedAway(err error, why reason) error {
	switch {
	case errors.Is(err, errOwnShare):
		return l.refuse(forShare, tooManyAtOnce())
	case err == nil, !errors.Is(err, errNoRoom) && !errors.Is(err, errLongQueue):
		return err
	case why == forQueue, why == forSignIns:
		return l.refuse(why, problem(unavailable, "Máy chủ đang bận; hãy thử lại sau vài giây.", "The server is busy; try again in a few seconds."))
	default:
		return l.refuse(why, problem(unavailable, "Máy chủ đang nhận nhiều tệp khác; hãy thử lại sau vài giây.", "The server is busy with other files; try again in a few seconds."))
	}
}

// checkRate refuses a client that asks too often for what is limited.
func (l *limits) checkRate(rt route, viewer account.Viewer, r *http.Request) error {
	switch {
	case rt.method != http.MethodGet && !rt.asks:
		return l.take(forWrites, l.of(viewer, r), allowanceOf(viewer).writes)
	case l.read.every > 0 && !viewer.Known() && strings.HasPrefix(rt.pattern, root):
		return l.take(forRate, l.of(viewer, r), l.read)
	}
	return nil
}

// take takes a token of the client's bucket for the reason, or refuses.
func (l *limits) take(why reason, of client, r rate) error {
	if wait := l.buckets.take(of.bucket(why), r, l.now()); wait > 0 {
		return l.refuse(why, tooManyRequests(wait))
	}
	return nil
}

// mayNote reports whether one more refused sign-in of the address is recorded.
func (l *limits) mayNote(r *http.Request) bool {
	const all = client(0)
	return l.buckets.take(l.at(r).bucket(forNotes), noteRate, l.now()) == 0 && l.buckets.take(all.bucket(forNotes), allNotesRate, l.now()) == 0
}

// bucket is what a client's bucket for the reason is kept under.
func (c client) bucket(why reason) client { return c ^ client(why)*0x9e3779b97f4a7c15 }

func (l *limits) refuse(why reason, p *problemError) error {
	l.refused[why].Add(1)
	return p
}

// tryKey refuses to look up a key for an address that has sent too many bad ones; else
// settle must be told what the look-up returned. A key that was good when it was last
// looked up may always be tried, so that one bad client does not keep out those who
// share its address.
func (l *limits) tryKey(r *http.Request, key string) (settle func(error), err error) {
	hash := maphash.String(l.seed, key)
	known := l.good.has(hash)
	if !known {
		// Taken first and given back: many that are tried at once must not all pass.
		if err := l.take(forKeys, l.at(r), badKeyRate); err != nil {
			return nil, err
		}
	}
	return func(err error) {
		bad := errors.Is(err, layer.ErrNotFound)
		if !known && !bad {
			l.buckets.giveBack(l.at(r).bucket(forKeys), badKeyRate, l.now())
		}
		switch {
		case err == nil:
			l.good.add(hash)
		case bad:
			l.good.forget(hash)
		}
	}, nil
}

// goodKeys remember the hashes of keys that were good lately, in memory that does not
// grow: of two keys in one place the later is remembered.
type goodKeys [1024]atomic.Uint64

func (g *goodKeys) at(hash uint64) *atomic.Uint64 { return &g[hash%uint64(len(g))] }

func (g *goodKeys) has(hash uint64) bool { return g.at(hash).Load() == hash }

func (g *goodKeys) add(hash uint64) { g.at(hash).Store(hash) }

func (g *goodKeys) forget(hash uint64) { g.at(hash).CompareAndSwap(hash, 0) }

// tooManyRequests is a 429 that says how long to wait.
func tooManyRequests(wait time.Duration) *problemError {
	seconds := int((wait + time.Second - 1) / time.Second)
	p := problem(tooMany, fmt.Sprintf("Bạn gửi quá nhiều yêu cầu; hãy thử lại sau %d giây.", seconds), fmt.Sprintf("You send too many requests; try again in %d s.", seconds))
	p.RetryAfterS = seconds
	return p
}

// tooManyAtOnce is a 429 for a client that has its share under way.
func tooManyAtOnce() *problemError {
	p := problem(tooMany, "Bạn đang có quá nhiều yêu cầu nặng cùng lúc; hãy đợi các yêu cầu trước xong.", "Too many of your heavy requests are under way; wait for them to end.")
	p.RetryAfterS = retryAfterS
	return p
}

// atAnswer returns a writer that calls leave as soon as the answer begins: a heavy
// answer is complete by then, and a client that reads slowly must not hold the turn.
// A stream of rows works to its end, and keeps it.
func atAnswer(w http.ResponseWriter, rt route, leave func()) http.ResponseWriter {
	if !rt.heavy {
		return w
	}
	return &leavingWriter{w, leave}
}

type leavingWriter struct {
	http.ResponseWriter
	leave func()
}

func (w *leavingWriter) WriteHeader(status int) {
	w.leave()
	w.ResponseWriter.WriteHeader(status)
}

func (w *leavingWriter) Write(b []byte) (int, error) {
	w.leave()
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *leavingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
