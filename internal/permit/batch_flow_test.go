package permit

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"

	"hatang/geo"
	"hatang/geo/zoning"
)

// manyRows is an endless CSV file of different rows.
type manyRows struct {
	rows, at int
	rest     []byte
}

func (m *manyRows) Read(p []byte) (int, error) {
	if m.at == 0 {
		m.rest = append(m.rest, "id,lon,lat,mast_type,height_m,structure\n"...)
	}
	for len(m.rest) < len(p) && m.at < m.rows {
		m.at++
		if m.at%1000 == 7 {
			m.rest = fmt.Appendf(m.rest, "%d,east,21,A2b,45,self_supporting\n", m.at)
			continue
		}
		m.rest = fmt.Appendf(m.rest, "%d,%d.%06d,21.%d,A2b,45,self_supporting\n", m.at, m.at%180, m.at%1000000, m.at%97)
	}
	n := copy(p, m.rest)
	m.rest = append(m.rest[:0], m.rest[n:]...)
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// orderOf checks that the rows of an answer are all there, in order, and right.
type orderOf struct {
	t    *testing.T
	rows int
	pipe *io.PipeWriter
	done chan struct{}
	peak uint64
}

func newOrder(t *testing.T) *orderOf {
	in, out := io.Pipe()
	o := &orderOf{t: t, pipe: out, done: make(chan struct{})}
	go func() {
		defer close(o.done)
		reader := csv.NewReader(in)
		reader.ReuseRecord = true
		for {
			record, err := reader.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Error(err)
				_ = in.CloseWithError(err)
				return
			}
			o.look(record)
		}
	}()
	return o
}

func (o *orderOf) look(record []string) {
	if record[0] == "id" {
		return
	}
	o.rows++
	want := []string{"permitted", "conditional", "refused", "undetermined"}[o.rows%180%4]
	if o.rows%1000 == 7 {
		want = ""
	}
	if record[0] != fmt.Sprint(o.rows) || record[6] != want || (record[len(record)-1] != "") != (want == "") {
		o.t.Errorf("row %d: %q, want %q", o.rows, record, want)
	}
	if o.rows%20000 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		o.peak = max(o.peak, m.HeapAlloc)
	}
}

// maxBatchHeap is what a batch may hold beside its judges, bytes, dead objects not
// yet collected among them.
const maxBatchHeap = 24 << 20

func checkManyRows(t *testing.T, rows int) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // as in a server; other tests here let more garbage lie
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	o := newOrder(t)
	tally, err := batchOf(CSV, OutCSV, DetailFindings).Run(t.Context(), &manyRows{rows: rows}, o.pipe)
	if err := errors.Join(err, o.pipe.Close()); err != nil {
		t.Fatal(err)
	}
	<-o.done
	bad := int64(rows+993) / 1000
	if o.rows != rows || tally.Rows != int64(rows) || tally.Bad != bad || len(tally.Faults) != min(maxToldFaults, int(bad)) {
		t.Errorf("%d rows answered; %+v", o.rows, tally)
	}
	t.Logf("%d rows; heap before %d KiB, at most %d KiB", rows, before.HeapAlloc>>10, o.peak>>10)
	if o.peak > before.HeapAlloc+maxBatchHeap {
		t.Errorf("the heap grew from %d to %d bytes", before.HeapAlloc, o.peak)
	}
}

func TestManyRowsInOrderWithinMemory(t *testing.T) { checkManyRows(t, 50_000) }

// Rows of many dates are all answered, though few judges are open.
func TestManyDates(t *testing.T) {
	var in strings.Builder
	in.WriteString("lon,lat,mast_type,date\n")
	for i := range 3000 {
		fmt.Fprintf(&in, "%d,1,A2b,%s\n", i%8, geo.NewDate(2020, 1, 1+i%40))
	}
	var opened, few atomic.Int64
	b := batchOf(CSV, OutCSV, DetailFindings)
	b.Open = func(context.Context, geo.Date) (Judge, error) { opened.Add(1); return byLongitude{}, nil }
	b.Few = func(_ context.Context, p zoning.Proposal) (Answer, error) {
		few.Add(1)
		return byLongitude{}.Check(p), nil
	}
	got, tally, err := runBatch(t, b, in.String())
	if err != nil || tally.Rows != 3000 || tally.Bad != 0 || opened.Load() != maxOpenDates || few.Load() != 3000*36/40 {
		t.Errorf("%v, %+v, %d judges, %d single", err, tally, opened.Load(), few.Load())
	}
	if n := strings.Count(got, ",ZONE-b,"); n != 3000*6/8 {
		t.Errorf("%d rows say which rule decides", n)
	}
}

// The register is not read for a few rows of a date that is not in memory, and not
// again for one that is.
func TestFewRowsOfADateDoNotOpenIt(t *testing.T) {
	for _, tt := range []struct {
		name               string
		rows               int
		ready              bool
		wantFew, wantOpens int64
	}{
		{"one row", 1, false, 1, 0},
		{"few rows", fewRows, false, fewRows, 0},
		{"many rows", 3 * chunkRows, false, fewRows, 1},
		{"one row from memory", 1, true, 0, 0},
		{"many rows from memory", 3 * chunkRows, true, 0, 0},
	} {
		var opened, few, asked atomic.Int64
		b := batchOf(CSV, OutCSV, DetailVerdict)
		b.Open = func(context.Context, geo.Date) (Judge, error) { opened.Add(1); return byLongitude{}, nil }
		b.Ready = func(context.Context, geo.Date) Judge {
			asked.Add(1)
			if tt.ready {
				return byLongitude{}
			}
			return nil
		}
		b.Few = func(_ context.Context, p zoning.Proposal) (Answer, error) {
			few.Add(1)
			return byLongitude{}.Check(p), nil
		}
		_, tally, err := runBatch(t, b, "lon,lat,mast_type\n"+strings.Repeat("0,1,A2b\n", tt.rows))
		if err != nil || tally.Permitted != int64(tt.rows) || few.Load() != tt.wantFew || opened.Load() != tt.wantOpens || asked.Load() != 1 {
			t.Errorf("%s: %v, %+v, %d single, %d opened, memory asked %d times", tt.name, err, tally, few.Load(), opened.Load(), asked.Load())
		}
	}
}

func TestABatchStopsAtOnce(t *testing.T) {
	broken := errors.New("broken pipe")
	lost := errors.New("the database is gone")
	for _, tt := range []struct {
		name string
		make func(b *Batch, stop context.CancelFunc) io.Writer
		want error
	}{
		{"the reader of the answers goes", func(*Batch, context.CancelFunc) io.Writer { return &failing{after: 3, err: broken} }, broken},
		{"the context ends", func(_ *Batch, stop context.CancelFunc) io.Writer { return &failing{after: 3, then: stop} }, context.Canceled},
		{"no judge is to be had", func(b *Batch, _ context.CancelFunc) io.Writer {
			b.Open = func(context.Context, geo.Date) (Judge, error) { return nil, lost }
			return io.Discard
		}, lost},
		{"a judge panics", func(b *Batch, _ context.CancelFunc) io.Writer {
			b.Open = func(context.Context, geo.Date) (Judge, error) { panic("no") }
			return io.Discard
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			in, feeding := io.Pipe() // never ends
			go func() { _, _ = io.Copy(feeding, &manyRows{rows: math.MaxInt}) }()
			b := batchOf(CSV, OutCSV, DetailVerdict)
			interrupted := false
			b.Interrupt = func() { interrupted = true; _ = in.CloseWithError(io.ErrClosedPipe) }
			_, err := b.Run(ctx, in, tt.make(b, stop))
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !interrupted {
				t.Errorf("%v, interrupted: %v", err, interrupted)
			}
		})
	}
}

// A reader that never comes back does not hold a batch that has ended.
func TestAStuckReaderIsLeftBehind(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	in, _ := io.Pipe()
	b := batchOf(CSV, OutCSV, DetailVerdict)
	first := io.MultiReader(strings.NewReader("lon,lat,mast_type\n"+strings.Repeat("0,1,A2b\n", 20000)), in)
	_, err := b.Run(ctx, first, &failing{after: 1, then: stop})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// failing is a writer that fails after so many writes, or does something else then.
type failing struct {
	after int
	err   error
	then  func()
}

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		if f.then != nil {
			f.then()
		}
		return 0, errors.Join(f.err, nil)
	}
	return len(p), nil
}
