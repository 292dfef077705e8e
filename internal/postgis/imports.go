package postgis

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// What is kept of imports.
const (
	importChunkBytes = 1 << 20 // of a file in one row
	// progressKept is how long what a server last said of an import is taken for what it
	// does; behind that it is taken for dead.
	progressKept = "10 seconds"
	// cancelPatience is how long the end of an import is waited for that was told to stop.
	cancelPatience = "8s"
)

// importsSQL reads imports as layer.Import has them.
const importsSQL = `SELECT i.id, i.layer, i.file_name, i.bytes, encode(i.sha256, 'hex'), i.options, i.who, coalesce(i.request, ''),
	CASE WHEN i.state <> 'waiting' THEN i.state WHEN p.updated_at > clock_timestamp() - interval '` + progressKept + `' THEN coalesce(p.stage, 'waiting') ELSE 'waiting' END,
	i.created_at, i.finished_at, p.bytes_read, p.rows_read, p.rows_to_write, p.rows_written, p.started_at, p.updated_at, i.report
	FROM imports i JOIN import_progress p ON p.import = i.id`

func scanImport(row pgx.CollectableRow) (layer.Import, error) {
	var i layer.Import
	err := row.Scan(&i.ID, &i.Collection, &i.FileName, &i.Bytes, &i.SHA256, &i.Wishes, &i.By, &i.Request, &i.State, &i.CreatedAt, &i.FinishedAt,
		&i.Progress.BytesRead, &i.Progress.RowsRead, &i.Progress.RowsToWrite, &i.Progress.RowsWritten, &i.Progress.StartedAt, &i.Progress.UpdatedAt, &i.Report)
	return i, err
}

// theirs adds the condition on imports i that they are the viewer's: his own, for an
// administrator all.
func (c *conditions) theirs(v account.Viewer) {
	if !v.Administers() {
		c.add("i.who = %s", c.bind(v.Name))
	}
}

// AddImport keeps a file until a server takes it, which Imports tells of, and returns the
// import's id. It fails with layer.ErrConflict while another of the viewer's is under way,
// with layer.ErrForbidden where he writes nothing of the layer. Of his imports that are
// over the newest layer.KeptImports are remembered. Cost: the file is read twice, and written once.
func (s *Store) AddImport(ctx context.Context, v account.Viewer, l *layer.Layer, n layer.NewImport, file io.ReadSeeker) (id int64, err error) {
	if err := (&importer{viewer: v, pen: v.Pen(l.Name), layer: l}).mayWrite(); err != nil {
		return 0, err
	}
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return 0, fmt.Errorf("read the file: %w", err)
	}
	err = s.write(ctx, v, "keep the file", func(tx pgx.Tx) error {
		if err := allowImport(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM imports WHERE state <> 'waiting' AND id IN (
			SELECT id FROM imports WHERE who = hatang_who() AND state <> 'waiting' ORDER BY created_at DESC, id DESC OFFSET $1)`, layer.KeptImports-1); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "INSERT INTO imports (layer, file_name, bytes, sha256, options) VALUES ($1, $2, $3, $4, $5) RETURNING id",
			l.Name, n.FileName, size, sum.Sum(nil), n.Wishes).Scan(&id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO import_progress (import) VALUES ($1)", id); err != nil {
			return err
		}
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"import_chunks"}, []string{"import", "number", "bytes"}, &chunks{file: file, id: id})
		return err
	})
	return id, err
}

// chunks is a file as rows of import_chunks.
type chunks struct {
	file   io.Reader
	id     int64
	number int
	buffer [importChunkBytes]byte
	size   int
	err    error
}

// Next implements pgx.CopyFromSource.
func (c *chunks) Next() bool {
	c.size, c.err = io.ReadFull(c.file, c.buffer[:])
	if errors.Is(c.err, io.ErrUnexpectedEOF) || errors.Is(c.err, io.EOF) {
		c.err = nil
	}
	c.number++
	return c.size > 0 && c.err == nil
}

// Values implements pgx.CopyFromSource.
func (c *chunks) Values() ([]any, error) { return []any{c.id, c.number, c.buffer[:c.size]}, nil }

// Err implements pgx.CopyFromSource.
func (c *chunks) Err() error { return c.err }

// Imports returns the viewer's imports, for an administrator all, the newest first: at most
// so many, behind one of them where after is not 0. Cost: an index scan.
func (s *Store) Imports(ctx context.Context, v account.Viewer, after int64, limit int) ([]layer.Import, error) {
	c := &conditions{}
	c.theirs(v)
	if after != 0 {
		c.add("(i.created_at, i.id) < (SELECT created_at, id FROM imports a WHERE a.id = %s AND (a.who = %s OR %s))", c.bind(after), c.bind(v.Name), c.bind(v.Administers()))
	}
	rows, err := s.pool.kept.Query(ctx, importsSQL+c.where()+" ORDER BY i.created_at DESC, i.id DESC LIMIT "+c.bind(limit), c.args...)
	if err != nil {
		return nil, translate("list the imports", err)
	}
	list, err := pgx.CollectRows(rows, scanImport)
	return list, translate("list the imports", err)
}

// ImportOf returns one of the imports that Imports lists; layer.ErrNotFound for any other.
func (s *Store) ImportOf(ctx context.Context, v account.Viewer, id int64) (layer.Import, error) {
	c := &conditions{}
	c.theirs(v)
	c.add("i.id = %s", c.bind(id))
	rows, err := s.pool.kept.Query(ctx, importsSQL+c.where(), c.args...)
	if err != nil {
		return layer.Import{}, translate("look up the import", err)
	}
	i, err := pgx.CollectExactlyOneRow(rows, scanImport)
	return i, translate("look up the import", err)
}

// ImportCorrections returns the rows that one of the imports that Imports lists has refused, as what read
// its file has them; layer.ErrNotFound for any other, and for one that has refused none or is not over.
func (s *Store) ImportCorrections(ctx context.Context, v account.Viewer, id int64) (rows []byte, err error) {
	c := &conditions{}
	c.theirs(v)
	c.add("i.id = %s", c.bind(id))
	err = s.pool.kept.QueryRow(ctx, "SELECT k.rows FROM import_corrections k JOIN imports i ON i.id = k.import"+c.where(), c.args...).Scan(&rows)
	return rows, translate("look up the rows that an import refused", err)
}

// CancelImport ends an import and returns when nothing of it is left but that it was
// cancelled: within a second of a server that works on it. layer.ErrNotFound for one that
// ImportOf does not return; layer.ErrConflict for one that is over; layer.ErrTimeout where
// who works on it does not answer, and then it will be cancelled by who takes it next.
func (s *Store) CancelImport(ctx context.Context, v account.Viewer, id int64) error {
	asked, err := s.ImportOf(ctx, v, id)
	if err != nil {
		return err
	}
	if asked.State.Over() {
		return fmt.Errorf("the import is %s: %w", asked.State, layer.ErrConflict)
	}
	if _, err := s.pool.kept.Exec(ctx, "UPDATE import_progress SET cancelled = true WHERE import = $1", id); err != nil {
		return translate("cancel the import", err)
	}
	return s.write(ctx, v, "cancel the import", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '"+cancelPatience+"'"); err != nil {
			return err
		}
		var state layer.ImportState
		if err := tx.QueryRow(ctx, "SELECT state FROM imports WHERE id = $1 FOR NO KEY UPDATE", id).Scan(&state); err != nil {
			return err
		}
		switch state {
		case layer.ImportWaiting:
			return endImport(ctx, tx, id, layer.ImportCancelled, nil)
		case layer.ImportCancelled:
			return nil
		}
		return fmt.Errorf("the import is %s: %w", state, layer.ErrConflict)
	})
}

// endImport says what an import ended as, and lets go of its file.
func endImport(ctx context.Context, tx pgx.Tx, id int64, state layer.ImportState, report *layer.ImportReport) error {
	if _, err := tx.Exec(ctx, "UPDATE imports SET state = $2, finished_at = clock_timestamp(), report = $3 WHERE id = $1", id, state, report); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "DELETE FROM import_chunks WHERE import = $1", id)
	return err
}
