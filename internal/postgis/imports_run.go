package postgis

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// ImportReader reads the file of an import.
type ImportReader interface {
	// Options returns how the file becomes rows; *layer.InvalidError where what is wished
	// cannot be.
	Options(ctx context.Context, i layer.Import) (ImportOptions, error)
	// Read calls add once a feature of the file at path, in order, counts how far it is and
	// returns how the file was read, knowing of the register what the viewer sees, with an error, too.
	// *layer.InvalidError for a file that cannot be read, and for one that is too large.
	Read(ctx context.Context, v account.Viewer, i layer.Import, l *layer.Layer, path string, bytesRead *atomic.Int64, add func(Incoming) error) (ReadFile, error)
}

// ReadFile is a file whose features have been read.
type ReadFile struct {
	layer.FileRead
	// Correct reads the file once more and returns the rows that were refused, by the reader or, as
	// is given, by the store, to be kept as JSON, and how many they are. Nil where none can be
	// written.
	Correct func(ctx context.Context, stored map[int64]layer.Faults) (rows []byte, kept int, err error)
	Close   func() error // nil for nothing to do
}

// end lets go of the file.
func (f *ReadFile) end() error {
	if f.Close == nil {
		return nil
	}
	return f.Close()
}

const (
	// progressEvery is how often an import tells how far it is, and is told to stop.
	progressEvery = 500 * time.Millisecond
	// importAttempts is how many servers begin an import before it is taken for their end.
	importAttempts = 3
)

// errImportCancelled ends the work on an import that its owner has cancelled.
var errImportCancelled = errors.New("the import was cancelled")

// RunImport takes the import that has waited longest and that no server works on, and brings
// it to an end; it reports false where there is none. It has a connection of its own for as
// long as that takes. What the import changes and that it is over are one transaction: where
// the server dies, or the context ends, nothing of it has happened and it waits again. An
// error is about the work; what is wrong with an import stands in its report.
func (s *Store) RunImport(ctx context.Context, reader ImportReader) (bool, error) {
	var some bool
	if err := s.pool.kept.QueryRow(ctx, "SELECT EXISTS (SELECT FROM imports WHERE state = 'waiting')").Scan(&some); err != nil || !some {
		return false, translate("look for imports", err)
	}
	config := s.pool.ConnConfig()
	config.Tracer = nil
	// A server process sees within a second that its client is dead, and lets go of the import.
	config.RuntimeParams["client_connection_check_interval"] = "1000"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false, translate("connect for an import", err)
	}
	defer closeConn(ctx, conn)
	if err := become(servingRole)(ctx, conn); err != nil {
		return false, translate("connect for an import", err)
	}
	run := &importRun{store: s, reader: reader}
	err = run.do(ctx, conn)
	s.edits.Add(1)
	return run.ID != 0, translate("import", err)
}

// importRun is the work on one import.
type importRun struct {
	layer.Import
	store    *Store
	reader   ImportReader
	attempts int
	progress ImportProgress
	bytes    atomic.Int64
	report   layer.ImportReport
}

// do takes an import and brings it to an end, in one transaction.
func (r *importRun) do(ctx context.Context, conn *pgx.Conn) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // of what was not committed; a connection that is closed has none
	cancelled, err := r.take(ctx, tx)
	if err != nil || r.ID == 0 {
		return err
	}
	state := layer.ImportCancelled
	var report *layer.ImportReport
	switch {
	case cancelled:
	case r.attempts >= importAttempts:
		state, report = layer.ImportFailed, &r.report
		r.report.Problems.Add("", "việc nhập tệp này đã bị đứt %d lần; không có gì được lưu", "the work on this file broke off %d times; nothing was stored", r.attempts)
	default:
		working, cancel := context.WithCancelCause(account.WithAsking(ctx, &account.Asking{Request: r.Request}))
		defer cancel(nil)
		if state, err = r.work(working, cancel, tx); err != nil {
			return r.brokenOff(ctx, context.Cause(working), err)
		}
		report = &r.report
	}
	if err := endImport(ctx, tx, r.ID, state, report); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// take locks the import that has waited longest; r.ID stays 0 where there is none.
func (r *importRun) take(ctx context.Context, tx pgx.Tx) (cancelled bool, err error) {
	if err := allowImport(ctx, tx); err != nil {
		return false, err
	}
	rows, err := tx.Query(ctx, importsSQL+" WHERE i.state = 'waiting' ORDER BY i.created_at, i.id LIMIT 1 FOR NO KEY UPDATE OF i SKIP LOCKED")
	if err != nil {
		return false, err
	}
	r.Import, err = pgx.CollectExactlyOneRow(rows, scanImport)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return cancelled, tx.QueryRow(ctx, "SELECT cancelled, attempts FROM import_progress WHERE import = $1", r.ID).Scan(&cancelled, &r.attempts)
}

// brokenOff says why the work ended that was not brought to an end. The transaction is
// undone; the import waits, and where its owner wants it no more CancelImport ends it.
func (r *importRun) brokenOff(ctx context.Context, cause, err error) error {
	if errors.Is(cause, errImportCancelled) {
		return nil
	}
	if ctx.Err() == nil {
		return err
	}
	// This server stops, and it is no fault of the file.
	letGo, cancel := context.WithTimeout(context.WithoutCancel(ctx), acquireTimeout)
	defer cancel()
	_, letGoErr := r.store.pool.kept.Exec(letGo, "UPDATE import_progress SET stage = NULL, attempts = attempts - 1 WHERE import = $1", r.ID)
	return errors.Join(err, letGoErr)
}

// work brings the file in, or finds out why not, while it tells how far it is. An error
// leaves the import as it was.
func (r *importRun) work(ctx context.Context, cancel context.CancelCauseFunc, tx pgx.Tx) (state layer.ImportState, err error) {
	if _, err := r.store.pool.kept.Exec(ctx, `UPDATE import_progress SET stage = 'reading', bytes_read = 0, rows_read = 0, rows_to_write = 0, rows_written = 0,
		attempts = attempts + 1, started_at = clock_timestamp(), updated_at = clock_timestamp() WHERE import = $1`, r.ID); err != nil {
		return "", err
	}
	var telling sync.WaitGroup
	done := make(chan struct{})
	telling.Go(func() { r.keepTelling(ctx, cancel, done) })
	state, err = r.bring(ctx, tx)
	close(done)
	telling.Wait()
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return "", err
	}
	return state, r.tell(ctx, tx)
}

// keepTelling tells how far the import is until done, and cancels the work when it is told to.
func (r *importRun) keepTelling(ctx context.Context, cancel context.CancelCauseFunc, done <-chan struct{}) {
	ticks := time.NewTicker(progressEvery)
	defer ticks.Stop()
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		var cancelled bool
		err := r.store.pool.kept.QueryRow(ctx, "SELECT cancelled FROM import_progress WHERE import = $1", r.ID).Scan(&cancelled)
		if err == nil && cancelled {
			cancel(errImportCancelled)
			return
		}
		// Where it cannot be told now, it is half a second later; the work goes on.
		_ = r.tell(ctx, r.store.pool.kept)
	}
}

// tell writes how far the import is.
func (r *importRun) tell(ctx context.Context, q querier) error {
	stage := layer.ImportReading
	if r.progress.ToWrite() > 0 {
		stage = layer.ImportWriting
	}
	_, err := q.Exec(ctx, `UPDATE import_progress SET stage = $2, bytes_read = $3, rows_read = $4, rows_to_write = $5, rows_written = $6, updated_at = clock_timestamp() WHERE import = $1`,
		r.ID, stage, min(r.bytes.Load(), r.Bytes), r.progress.Read(), r.progress.ToWrite(), r.progress.Written())
	return err
}

// bring brings the file into the layer as its owner may now, all of it or nothing, and
// returns what the import ends as. An error leaves the import as it was.
func (r *importRun) bring(ctx context.Context, tx pgx.Tx) (state layer.ImportState, err error) {
	path, err := r.fetch(ctx, tx)
	if err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(path) }() // nobody finds it any more, whatever becomes of it
	var summary ImportSummary
	var file ReadFile
	defer func() { err = errors.Join(err, file.end()) }()
	var preview previewed
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) (err error) {
		v, err := viewerNamed(ctx, tx, r.By)
		if err != nil {
			return err
		}
		if err := sign(ctx, tx, v.Name); err != nil {
			return err
		}
		l, options, err := r.prepare(ctx)
		if err != nil {
			return err
		}
		if options.DryRun {
			options.Preview = preview.add
		}
		summary, err = r.bringInto(ctx, tx, v, l, options, func(add func(Incoming) error) error {
			file, err = r.reader.Read(ctx, v, r.Import, l, path, &r.bytes, add)
			return err
		})
		if err != nil {
			return err
		}
		return r.mayStill(ctx, tx, v)
	})
	if ctx.Err() != nil || tx.Conn().IsClosed() {
		return "", errors.Join(context.Cause(ctx), err)
	}
	read := file.FileRead
	read.NotTaken = append([]string{}, read.NotTaken...)
	r.report = layer.ImportReport{Read: summary.Read, Inserted: summary.Inserted, Updated: summary.Updated, Unchanged: summary.Unchanged, Skipped: summary.Skipped,
		RefusedRows: summary.RefusedRows, Faults: summary.Faults, Refused: summary.Refused, Applied: summary.Applied && err == nil, FileRead: read,
		ElsewhereRows: summary.ElsewhereRows, Elsewhere: summary.Elsewhere,
		Sites: summary.Sites, Areas: r.report.Areas}
	if r.Wishes.DryRun {
		r.report.Changes, r.report.ChangesLeftOut = preview.collection(), preview.leftOut
	}
	if summary.RefusedRows > 0 && file.Correct != nil {
		if failed := r.keepCorrections(ctx, tx, file, summary); failed != nil {
			return "", failed
		}
	}
	return r.outcome(translate("import", err))
}

// keepCorrections keeps the rows that were refused, to be sent for.
func (r *importRun) keepCorrections(ctx context.Context, tx pgx.Tx, file ReadFile, summary ImportSummary) error {
	rows, kept, err := file.Correct(ctx, summary.KeptRefusals)
	if err != nil {
		return err
	}
	r.report.Corrections = &layer.CorrectionsTold{Rows: kept, LeftOut: summary.RefusedRows - kept}
	_, err = tx.Exec(ctx, "INSERT INTO import_corrections (import, rows) VALUES ($1, $2)", r.ID, rows)
	return err
}

// mayStill is layer.ErrForbidden where the owner of the import may not write any more what he
// could when it began: a file may take longer than it takes to withdraw a right.
func (r *importRun) mayStill(ctx context.Context, tx pgx.Tx, v account.Viewer) error {
	now, err := viewerNamed(ctx, tx, r.By)
	if err != nil {
		return err
	}
	for _, name := range []string{r.Collection, "bts_sites"} { // and the sites that new positions get
		if now.Organisation != v.Organisation || !reflect.DeepEqual(now.Pen(name), v.Pen(name)) {
			return fmt.Errorf("the rights of %s have changed: %w", r.By, layer.ErrForbidden)
		}
	}
	return nil
}

// bringInto brings rows into a layer, and looks how areas lie beside each other.
func (r *importRun) bringInto(ctx context.Context, tx pgx.Tx, v account.Viewer, l *layer.Layer, o ImportOptions, read func(add func(Incoming) error) error) (ImportSummary, error) {
	if _, asked := l.Coverage(); !asked {
		return importCounted(ctx, tx, v, l, o, read)
	}
	summary, areas, err := importAreas(ctx, tx, v, l, o, AreasOptions{Complete: r.Wishes.Complete, AcceptGaps: r.Wishes.AcceptGaps, AcceptOverlaps: r.Wishes.AcceptOverlaps}, read)
	if err == nil || errors.Is(err, errNotApplied) {
		r.report.Areas = &areas
	}
	return summary, err
}

// prepare returns the layer and the options of the import.
func (r *importRun) prepare(ctx context.Context) (*layer.Layer, ImportOptions, error) {
	if err := r.store.FreshLayers(ctx); err != nil {
		return nil, ImportOptions{}, err
	}
	l, ok := r.store.layers.Whole().Get(r.Collection)
	if !ok {
		return nil, ImportOptions{}, layer.ErrNotFound
	}
	options, err := r.reader.Options(ctx, r.Import)
	options.Progress = &r.progress
	return l, options, err
}

// outcome is what an import ends as whose work ended with the error. One that the file has
// nothing to do with leaves it as it was, to be tried again.
func (r *importRun) outcome(err error) (layer.ImportState, error) {
	var invalid *layer.InvalidError
	problems := &r.report.Problems
	switch {
	case err == nil, errors.Is(err, errNotApplied):
		if r.report.RefusedRows > 0 && !r.Wishes.GoodRows || r.report.Areas != nil && len(r.report.Areas.Structure) > 0 {
			return layer.ImportRefused, nil
		}
		return layer.ImportDone, nil
	case errors.As(err, &invalid):
		*problems = invalid.Faults[:min(len(invalid.Faults), MaxListedFaults)]
		return layer.ImportRefused, nil
	case errors.Is(err, layer.ErrForbidden):
		problems.Add("", "quyền ghi vào lớp này không còn", "the right to write features of this layer is no more")
		return layer.ImportRefused, nil
	case errors.Is(err, layer.ErrNotFound), errors.Is(err, layer.ErrChanged):
		problems.Add("", "lớp này không còn, hoặc vừa được thay đổi", "the layer is no more, or has just been changed")
	case errors.Is(err, layer.ErrNoSpace):
		problems.Add("", "đĩa của máy chủ đã đầy", "the disk of the server is full")
	case errors.Is(err, layer.ErrConflict):
		problems.Add("", "dữ liệu đã được người khác sửa trong lúc nhập; hãy gửi lại tệp", "somebody else has changed the rows meanwhile; send the file again")
	case errors.Is(err, layer.ErrTimeout):
		problems.Add("", "cơ sở dữ liệu làm việc quá lâu; hãy gửi lại tệp, hoặc chia tệp ra", "the database took too long; send the file again, or in parts")
	default:
		return "", err
	}
	return layer.ImportFailed, nil
}

// fetch writes the kept file to one of its own, whose path it returns.
func (r *importRun) fetch(ctx context.Context, tx pgx.Tx) (path string, err error) {
	file, err := os.CreateTemp("", "hatang-import-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	rows, err := tx.Query(ctx, "SELECT bytes FROM import_chunks WHERE import = $1 ORDER BY number", r.ID)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	var chunk []byte
	if _, err = pgx.ForEachRow(rows, []any{&chunk}, func() error {
		_, err := io.Copy(io.MultiWriter(file, sum), bytes.NewReader(chunk))
		return err
	}); err != nil {
		return "", err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != r.SHA256 {
		return "", fmt.Errorf("the kept file of import %d has the SHA-256 %s, not %s", r.ID, got, r.SHA256)
	}
	return file.Name(), nil
}
