package httpapi

import (
	"math"
	"sync"
	"time"
)

// rate is how often something may be done: a bucket holds at most burst tokens, each
// time takes one, and one comes back every so often.
type rate struct {
	every time.Duration // 0: as often as one likes
	burst int64
}

// perSecond is a rate of n tokens a second, 0 for none that limits.
func perSecond(n float64, burst int64) rate {
	if n <= 0 {
		return rate{}
	}
	every := math.Min(float64(time.Second)/n, float64(24*time.Hour))
	return rate{max(1, time.Duration(every)), max(1, burst)}
}

// Buckets are kept in sets of a few; the hash of a client says which.
const (
	bucketSets  = 1 << 14 // 1 MB in all
	bucketWays  = 4
	bucketLocks = 64
)

// bucket is known by the time when it will be full again: burst tokens less those that
// come until then are in it.
type bucket struct {
	of   client
	full time.Duration
}

// buckets hold the tokens of 65 536 clients in memory that never grows, whatever the
// number of addresses. Where a new client finds no room, the fullest bucket of its set
// is forgotten, as if it were full: nobody is refused for want of room. It is safe for
// concurrent use.
type buckets struct {
	locks [bucketLocks]sync.Mutex
	sets  [bucketSets][bucketWays]bucket
}

// take takes a token at the time now. Where there is none it takes nothing and returns
// how long until there is; else 0. Cost: one set, whatever is kept.
func (b *buckets) take(of client, r rate, now time.Duration) time.Duration {
	set := uint64(of) % bucketSets
	lock := &b.locks[set%bucketLocks]
	lock.Lock()
	defer lock.Unlock()
	own := b.find(set, of, now)
	full := max(own.full, now) + r.every
	if wait := full - now - r.every*time.Duration(r.burst); wait > 0 {
		return wait
	}
	own.full = full
	return 0
}

// giveBack returns a token that was taken.
func (b *buckets) giveBack(of client, r rate, now time.Duration) {
	set := uint64(of) % bucketSets
	lock := &b.locks[set%bucketLocks]
	lock.Lock()
	defer lock.Unlock()
	b.find(set, of, now).full -= r.every // below now, it counts as now
}

// find returns the client's bucket of the set, a full one where there was none.
func (b *buckets) find(set uint64, of client, now time.Duration) *bucket {
	ways := &b.sets[set]
	fullest := &ways[0]
	for i := range ways {
		if ways[i].of == of {
			return &ways[i]
		}
		if ways[i].full < fullest.full {
			fullest = &ways[i]
		}
	}
	*fullest = bucket{of, now}
	return fullest
}
