package httpapi

import (
	"sync"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
)

// left returns how many tokens a client has.
func (b *buckets) left(of client, r rate, now time.Duration) int64 {
	owed := max(0, b.find(uint64(of)%bucketSets, of, now).full-now)
	return r.burst - int64((owed+r.every-1)/r.every)
}

func TestRates(t *testing.T) {
	for _, tt := range []struct {
		n     float64
		burst int64
		want  rate
	}{{0, 5, rate{}}, {-1, 5, rate{}}, {1, 60, rate{time.Second, 60}}, {50, 200, rate{20 * time.Millisecond, 200}},
		{0.1, 0, rate{10 * time.Second, 1}}, {1e6, 2e6, rate{time.Microsecond, 2e6}}, {1e12, 1, rate{1, 1}}, {1e-12, 1, rate{24 * time.Hour, 1}}} {
		if got := perSecond(tt.n, tt.burst); got != tt.want {
			t.Errorf("%g a second, %d at once: %+v, want %+v", tt.n, tt.burst, got, tt.want)
		}
	}
}

// A bucket never holds more than its burst nor less than nothing, and in no stretch of
// time gives more than its burst and what came back in it.
func TestTokensNeverExceedTheBurst(t *testing.T) {
	b := new(buckets)
	next := client(0)
	rapid.Check(t, func(t *rapid.T) {
		next++
		of := next * 0x9e3779b97f4a7c15
		r := rate{time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "every")), rapid.Int64Range(1, 1000).Draw(t, "burst")}
		start := time.Duration(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(t, "start"))
		now, taken := start, int64(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				now += time.Duration(rapid.Int64Range(0, 3*int64(r.every)).Draw(t, "passes"))
			case 1:
				b.giveBack(of, r, now)
				taken--
			default:
				before := b.left(of, r, now)
				wait := b.take(of, r, now)
				if (wait == 0) != (before > 0) || wait < 0 || wait > r.every {
					t.Fatalf("%d tokens, wait %v", before, wait)
				}
				if wait == 0 {
					taken++
				} else if b.left(of, r, now+wait) != 1 || b.left(of, r, now+wait-1) != 0 {
					t.Fatalf("after %v there is no token, or one before", wait)
				}
			}
			if left := b.left(of, r, now); left < 0 || left > r.burst {
				t.Fatalf("%d tokens of %d", left, r.burst)
			}
			taken = max(taken, 0) // what is given back to a full bucket is lost
			if most := r.burst + int64((now-start)/r.every) + 1; taken > most {
				t.Fatalf("%d tokens were taken in %v, at most %d are there", taken, now-start, most)
			}
		}
	})
}

// Millions of addresses neither grow the memory nor keep anyone out.
func TestBucketsOfMillions(t *testing.T) {
	if size := unsafe.Sizeof(buckets{}); size > 2<<20 {
		t.Errorf("%d bytes", size)
	}
	b, r := new(buckets), rate{time.Second, 1}
	of := client(1)
	if n := testing.AllocsPerRun(2_000_000, func() {
		of = of*6364136223846793005 + 1442695040888963407
		if b.take(of, r, 0) != 0 {
			t.Fatal("a new client is refused")
		}
	}); n != 0 {
		t.Errorf("%g allocations a request", n)
	}
}

func TestBucketsTakenByManyAtOnce(t *testing.T) {
	b, r := new(buckets), rate{time.Second, 100}
	var got [16]int
	var work sync.WaitGroup
	for i := range got {
		work.Go(func() {
			for range 50 {
				if b.take(42, r, 0) == 0 {
					got[i]++
				}
			}
		})
	}
	work.Wait()
	sum := 0
	for _, n := range got {
		sum += n
	}
	if sum != 100 {
		t.Errorf("%d tokens of 100 were taken", sum)
	}
}
