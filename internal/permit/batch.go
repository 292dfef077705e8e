package permit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
)

// Judge answers proposals of one date in one state of the register.
type Judge interface {
	Check(p zoning.Proposal) Answer
	Findings(p zoning.Proposal) Answer // without sentences
	Verdict(p zoning.Proposal) (zoning.Place, zoning.Verdict)
	Versions() layer.Versions
	Generalised() bool                            // sites are judged as the public is shown them
	Lacks(p *zoning.Proposal) *layer.InvalidError // what keeps it from being judged; nil for nothing
	// Among is the judge of proposals that are checked against each other.
	Among(all Listed) Judge
}

// Batch judges the rows of a file or a stream. Rows are answered in their order; a
// bad row has its faults in its place and does not stop the rest. The memory it
// takes is that of a few chunks of rows, whatever their number.
type Batch struct {
	Format   RowFormat
	Out      OutFormat
	Detail   Detail
	Language string   // of sentences in CSV: "vi" or "en"
	Date     geo.Date // of rows that name none
	Workers  int      // how many judge at once; 0: as many as there are cores

	// Open returns the judge of a date. Few of them are open at a time: rows of
	// further dates are answered one by one, by Few, whose *layer.InvalidError is the row's.
	Open func(context.Context, geo.Date) (Judge, error)
	Few  func(context.Context, zoning.Proposal) (Answer, error)

	// Ready, if there is one, returns the judge of a date that costs nothing to open;
	// nil for none. Then the first fewRows rows of the date are answered by Few, each
	// by the register as it is at that moment, and only for more is Open called.
	Ready func(context.Context, geo.Date) Judge

	// EachOther has the rows checked against each other as well as against the register.
	// Then the whole input is read before the first row is judged: at most MaxEachOther
	// rows and MaxEachOtherBytes. Near returns the judge of a date round some proposals.
	EachOther bool
	Near      func(context.Context, geo.Date, []zoning.Proposal) (Judge, error)

	Text func([]byte, *Answer) []byte // of OutText

	// Interrupt, if there is one, makes a Read of the input return that is under way
	// when the batch ends early; the batch waits for it. Without one such a Read is
	// left behind.
	Interrupt func()
}

// maxOpenDates is how many judges a batch holds: each may hold a nation.
const maxOpenDates = 4

// fewRows is how many rows of a date are not worth the reading of a register.
const fewRows = 256

// maxToldFaults is how many bad rows a tally names.
const maxToldFaults = 50

// Tally counts what became of the rows.
type Tally struct {
	Rows, Bad, Permitted, Conditional, Refused, Undetermined int64

	Faults  []RowFaults // of the first bad rows
	Ignored []string    // columns or properties that were not judged
}

// RowFaults are the faults of one row, from 1.
type RowFaults struct {
	Row    int64
	Faults layer.Faults
}

func (t *Tally) count(v zoning.Verdict) {
	switch v {
	case zoning.Permitted:
		t.Permitted++
	case zoning.Conditional:
		t.Conditional++
	case zoning.Refused:
		t.Refused++
	default:
		t.Undetermined++
	}
}

// AppendJSON appends the counts as JSON.
func (t *Tally) AppendJSON(dst []byte) []byte {
	return fmt.Appendf(dst, `{"rows":%d,"permitted":%d,"conditional":%d,"refused":%d,"undetermined":%d,"not_judged":%d}`,
		t.Rows, t.Permitted, t.Conditional, t.Refused, t.Undetermined, t.Bad)
}

// Count counts one answer; "" is a proposal that could not be judged.
func (t *Tally) Count(v zoning.Verdict) {
	t.Rows++
	if v == "" {
		t.Bad++
		return
	}
	t.count(v)
}

func (t *Tally) add(u *Tally) {
	t.Rows += u.Rows
	t.Bad += u.Bad
	t.Permitted += u.Permitted
	t.Conditional += u.Conditional
	t.Refused += u.Refused
	t.Undetermined += u.Undetermined
	for _, f := range u.Faults {
		if len(t.Faults) < maxToldFaults {
			t.Faults = append(t.Faults, f)
		}
	}
}

// Run judges what it reads from in and writes to out, until the input ends, the
// context does, or out fails. An error that wraps ErrNoRows says that the input is
// not in its format; rows before that place have been answered.
func (b *Batch) Run(ctx context.Context, in io.Reader, out io.Writer) (Tally, error) {
	if b.EachOther {
		return b.runEachOther(ctx, in, out)
	}
	return b.run(ctx, in, out, nil)
}

// run is Run, of proposals that some others are known of.
func (b *Batch) run(ctx context.Context, in io.Reader, out io.Writer, others *others) (Tally, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f := &feed{in: in}
	r := &run{Batch: b, feed: f, judges: map[geo.Date]Judge{}, single: map[geo.Date]int{}, ignored: map[string]bool{}, others: others}
	if err := r.open(); err != nil {
		return Tally{}, err
	}
	r.pen = newPen(b, r.table)
	tally, err := r.flow(ctx, cancel, out)
	tally.Ignored = r.ignoredNames()
	return tally, err
}

// run is a batch under way.
type run struct {
	*Batch
	feed  *feed
	table *table // of CSV
	pen   *pen

	others *others // the proposals that are checked against each other; nil: none

	opening sync.Mutex
	judges  map[geo.Date]Judge
	single  map[geo.Date]int // rows answered without a judge

	noting  sync.Mutex
	ignored map[string]bool
}

// open looks at the beginning of the input.
func (r *run) open() error {
	if r.Format == CSV {
		var err error
		if r.table, err = openCSV(r.feed); err != nil {
			return err
		}
		for _, name := range r.table.ignored() {
			r.ignored[name] = true
		}
		return nil
	}
	if r.Out == OutCSV {
		return errors.New("rows of GeoJSON are not written as CSV")
	}
	return r.feed.openGeoJSON(r.Format)
}

// flow moves chunks from the reader over the workers to the writer. The writer is
// here; everything else ends with it.
func (r *run) flow(ctx context.Context, cancel context.CancelCauseFunc, out io.Writer) (tally Tally, err error) {
	workers := r.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	chunks := 2*workers + 2
	free, jobs, ordered := make(chan *chunk, chunks), make(chan *chunk, chunks), make(chan *chunk, chunks)
	for range chunks {
		free <- &chunk{done: make(chan error, 1)}
	}
	var working sync.WaitGroup
	for range workers {
		working.Go(func() { r.work(ctx, jobs) })
	}
	reading := make(chan error, 1)
	go func() {
		reading <- r.read(ctx, free, jobs, ordered)
	}()
	err = r.write(ctx, out, ordered, free, &tally)
	cancel(err)
	if err != nil && r.Interrupt != nil {
		r.Interrupt()
	}
	if err == nil || r.Interrupt != nil {
		err = errors.Join(err, r.ended(<-reading, err))
		working.Wait()
	}
	if err == nil {
		_, err = out.Write(r.pen.end(nil, &tally))
	}
	return tally, err
}

// ended leaves out that reading was cut short because writing had failed.
func (r *run) ended(reading, writing error) error {
	if writing != nil {
		return nil
	}
	return reading
}

// read cuts the input into chunks.
func (r *run) read(ctx context.Context, free <-chan *chunk, jobs, ordered chan<- *chunk) error {
	defer close(ordered)
	defer close(jobs)
	for {
		var c *chunk
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case c = <-free:
		}
		some, err := r.feed.fill(ctx, c)
		if some {
			if collection, ok := r.feed.cutter.(*collectionCutter); ok {
				c.crs = collection.crs
			}
			ordered <- c // neither blocks: there are no more chunks than room
			jobs <- c
		}
		if err != nil || !some {
			return err
		}
	}
}

// write writes the chunks in their order.
func (r *run) write(ctx context.Context, out io.Writer, ordered <-chan *chunk, free chan<- *chunk, tally *Tally) error {
	head := r.pen.begin(nil)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case c, ok := <-ordered:
			if !ok {
				return writeAll(out, head)
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case err := <-c.done:
				if err != nil {
					return err
				}
			}
			if err := errors.Join(writeAll(out, head), writeAll(out, c.out)); err != nil {
				return err
			}
			head = nil
			tally.add(&c.tally)
			free <- c
		}
	}
}

func writeAll(out io.Writer, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	_, err := out.Write(text)
	return err
}

func (r *run) note(names map[string]bool) {
	r.noting.Lock()
	defer r.noting.Unlock()
	for name := range names {
		if len(r.ignored) < maxIgnored {
			r.ignored[name] = true
		}
	}
}

func (r *run) ignoredNames() []string {
	r.noting.Lock()
	defer r.noting.Unlock()
	var names []string
	for name := range r.ignored {
		if name != "" {
			names = append(names, clip(name))
		}
	}
	slices.Sort(names)
	return names
}

// judgeOf returns the judge of a row of a date; nil when there are few such rows, or
// too many judges are open.
func (r *run) judgeOf(ctx context.Context, date geo.Date) (Judge, error) {
	r.opening.Lock()
	defer r.opening.Unlock()
	if j, ok := r.judges[date]; ok {
		return j, nil
	}
	if len(r.judges) == maxOpenDates {
		return nil, nil
	}
	if r.Ready != nil {
		if r.single[date] == 0 {
			if j := r.Ready(ctx, date); j != nil {
				r.judges[date] = j
				return j, nil
			}
		}
		if r.single[date]++; r.single[date] <= fewRows {
			return nil, nil
		}
	}
	j, err := r.Open(ctx, date)
	if err == nil {
		r.judges[date] = j
	}
	return j, err
}
