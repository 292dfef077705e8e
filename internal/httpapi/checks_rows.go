package httpapi

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/tables"
)

// Limits of streams of rows. A row has one of its own: permit.MaxRowBytes;
// how many there are at a time is in limits.go.
const (
	// paceBytes and paceTime: so much must come, or be taken, in such a time. The whole
	// may take as long as it likes.
	paceBytes = 64 << 10
	paceTime  = time.Minute
)

// rowKind is a media type in which rows are read, and those they are answered in,
// the usual one first.
type rowKind struct {
	mediaType string
	format    permit.RowFormat
	answers   []string
}

func rowKinds() []rowKind {
	return []rowKind{
		{typeCSV, permit.CSV, []string{typeCSV, typeGeoJSON, typeGeoJSONSeq}},
		{typeGeoJSON, permit.FeatureCollection, []string{typeGeoJSON, typeGeoJSONSeq}},
		{typeXLSX, permit.CSV, []string{typeXLSX, typeCSV, typeGeoJSON, typeGeoJSONSeq}},
		{typeGeoJSONSeq, permit.FeatureSequence, []string{typeGeoJSONSeq, typeGeoJSON}},
	}
}

// rowsOf returns the kind of rows that a request for checks holds; nil for JSON.
func rowsOf(r *http.Request) *rowKind {
	contentType := r.Header.Get("Content-Type")
	if contentType == typeJSON {
		return nil
	}
	for _, kind := range rowKinds() {
		if isType(contentType, []string{kind.mediaType}) {
			return &kind
		}
	}
	return nil
}

// isRows reports whether a request is a stream of rows, before it is routed.
func isRows(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/placement-checks") && rowsOf(r) != nil
}

// checkRows judges rows as they come and answers them at the same time: the client
// reads while it sends. Answers up to maxComplete bytes wait until they are complete.
func (a *api) checkRows(w http.ResponseWriter, r *request, kind *rowKind, q permit.Question) error {
	mediaType := preferred(r.Header.Get("Accept"), kind.answers)
	if mediaType == "" {
		list := strings.Join(kind.answers, ", ")
		return problem(notAcceptable, "Có các định dạng: "+list+".", "What there is: "+list+".")
	}
	c := paced{http.NewResponseController(w), a.pace}
	if err := c.begin(); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Language", r.language())
	out := &rowAnswer{spool: spool{w: w, mediaType: mediaType}, paced: c}
	batch := a.Checker.Batch(q)
	batch.Format, batch.Out, batch.Language = kind.format, outOf(mediaType), r.language()
	if kind.mediaType == typeXLSX {
		return rowsProblem(checkWorkbook(w, r, batch, out))
	}
	in := &pacedBody{body: r.Body, paced: c, bytes: paceBytes}
	batch.Interrupt = in.interrupt
	tally, err := batch.Run(r.Context(), in, out)
	if err == nil {
		err = out.finish(&tally)
	}
	return rowsProblem(err)
}

// checkWorkbook judges the rows of a workbook, which is read whole first: its texts stand
// behind its sheets.
func checkWorkbook(w http.ResponseWriter, r *request, batch *permit.Batch, out *rowAnswer) error {
	path, err := receive(w, r, maxUploadBytes)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(path) }() // nobody finds it any more, whatever becomes of it
	table, err := tables.Open(r.Context(), path, tables.Options{})
	if err != nil {
		return err
	}
	in := tables.CSV(r.Context(), table)
	var ended error
	end := sync.OnceFunc(func() { ended = in.Close() })
	defer end()
	batch.Interrupt = end
	var tally permit.Tally
	if out.mediaType == typeXLSX {
		book := formats.NewTableWriter(out, "verdicts", permit.IsNumber)
		tally, err = batch.Run(r.Context(), in, book)
		err = errors.Join(err, book.End(err))
	} else {
		tally, err = batch.Run(r.Context(), in, out)
	}
	if end(); err != nil || ended != nil {
		return errors.Join(err, ended)
	}
	return out.finish(&tally)
}

func outOf(mediaType string) permit.OutFormat {
	switch mediaType {
	case typeCSV, typeXLSX:
		return permit.OutCSV
	case typeGeoJSONSeq:
		return permit.OutSequence
	default:
		return permit.OutGeoJSON
	}
}

// rowsProblem says what stopped a stream. It reaches the client only where nothing of
// the answer has been sent; otherwise the answer is cut off.
func rowsProblem(err error) error {
	text, ok := permit.NoRowsText(err)
	var wrong *layer.ValueError
	switch {
	case err == nil, errors.Is(err, errClientGone), errors.Is(err, context.Canceled):
		return err
	case ok:
		return problem(unreadableBody, "Không đọc được các dòng: "+text.VI+".", "The rows cannot be read: "+text.EN+".")
	case errors.As(err, &wrong):
		text = wrong.Text
		return problem(unreadableBody, "Không đọc được bảng tính: "+text.VI+".", "The workbook cannot be read: "+text.EN+".")
	case errors.Is(err, errBrokeOff):
		return problem(unreadableBody, "Nội dung gửi lên bị đứt giữa chừng.", "The body broke off.")
	}
	return err
}

// paced keeps the two directions of a connection to their pace.
type paced struct {
	control *http.ResponseController
	time    time.Duration // for paceBytes
}

// begin makes reading and writing go side by side, where the server can.
func (p paced) begin() error {
	return unlessUnsupported(p.control.EnableFullDuplex())
}

// unlessUnsupported passes over what a ResponseWriter without a connection cannot do.
func unlessUnsupported(err error) error {
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// rowAnswer sends an answer, chunk by chunk.
type rowAnswer struct {
	spool
	paced
}

func (o *rowAnswer) Write(p []byte) (int, error) {
	o.buf = append(o.buf, p...)
	if err := o.pace(); err != nil {
		return 0, err
	}
	return len(p), o.settle()
}

func (o *rowAnswer) pace() error {
	pieces := time.Duration(len(o.buf)/paceBytes + 1)
	return unlessUnsupported(o.control.SetWriteDeadline(time.Now().Add(pieces * o.time)))
}

// summaryName is the header, or of an answer that was too long to wait for it the trailer,
// with the counts of the rows.
const summaryName = "Hatang-Summary"

// finish sends the rest.
func (o *rowAnswer) finish(tally *permit.Tally) error {
	name := summaryName
	if o.streaming {
		name = http.TrailerPrefix + name
	}
	o.w.Header().Set(name, string(tally.AppendJSON(nil)))
	if err := o.pace(); err != nil {
		return err
	}
	return o.close()
}
