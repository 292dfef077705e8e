package formats

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"syscall"
	"time"

	geom "github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/wkb"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"hatang/internal/layer"
)

// geoPackage writes a GeoPackage 1.3 with one feature table: the id is its primary key,
// the fields are columns of their types with titles and allowed values (schema extension),
// the geometry has an R-tree (rtree extension). A list is its JSON text. Coordinates are
// x before y in any reference system, as GeoPackage has it. The same rows make the same
// bytes: last_change is when the latest of them changed, not when they were written.
type geoPackage struct {
	sheet       Sheet
	file        *os.File
	db          *sql.DB
	conn        *sql.Conn
	insert      *sql.Stmt
	index       *sql.Stmt
	args        []any
	id, geom    string // names of the columns
	bounds      box
	placed      bool
	changed     time.Time
	changedAt   int // the field updated_at; -1 for none
	value, blob []byte
}

// pageBytes is the size of a page of SQLite.
const pageBytes = 4096

func newGeoPackage(s Sheet) (Writer, error) {
	g := &geoPackage{sheet: s, id: s.free("id"), geom: s.free("geom"), changedAt: -1, changed: time.Unix(0, 0)}
	for i, f := range s.Layer.Properties() {
		if f.Name == "updated_at" && f.Kind == layer.Timestamp {
			g.changedAt = i
		}
	}
	g.args = make([]any, 2+len(s.Layer.Properties()))
	if err := g.open(); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// open makes the database. SQLite has opened the file by the time its name goes, and
// opens no other: it keeps no journal, and what it sorts it sorts in memory.
func (g *geoPackage) open() error {
	file, err := os.CreateTemp("", "hatang-*.gpkg")
	if err != nil {
		return noRoom(err)
	}
	g.file = file
	connector, err := sqlite.NewConnector("file:" + file.Name())
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	g.db = sql.OpenDB(connector)
	ctx := context.Background() // nothing here waits for anybody
	if g.conn, err = g.db.Conn(ctx); err == nil {
		_, err = g.conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA page_size = %d; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
			PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192; PRAGMA max_page_count = %d; PRAGMA application_id = %d; PRAGMA user_version = 10300; BEGIN`,
			pageBytes, max(1, g.sheet.maxBytes()/pageBytes), 0x47504b47))
	}
	return errors.Join(g.told(err), os.Remove(file.Name()))
}

// told says what an error of SQLite means here: it has one word for a full disk and for
// as many pages as there may be.
func (g *geoPackage) told(err error) error {
	var failed *sqlite.Error
	if !errors.As(err, &failed) || failed.Code()&0xff != sqlite3.SQLITE_FULL {
		return noRoom(err)
	}
	var disk syscall.Statfs_t
	if statErr := syscall.Fstatfs(int(g.file.Fd()), &disk); statErr != nil {
		return errors.Join(err, statErr)
	}
	const nothing = 1 << 20 // of a full disk, this much may yet be free
	if disk.Bavail*uint64(disk.Bsize) > nothing {
		return ErrTooLarge
	}
	return fmt.Errorf("%w: %w", layer.ErrNoSpace, err)
}

func (g *geoPackage) exec(statement string, args ...any) error {
	_, err := g.conn.ExecContext(context.Background(), statement, args...)
	return g.told(err)
}

// Begin implements Writer.
func (g *geoPackage) Begin(dst []byte) ([]byte, error) {
	for _, statement := range append(packageTables(), g.table(),
		fmt.Sprintf("CREATE VIRTUAL TABLE %s USING rtree(id, minx, maxx, miny, maxy)", identifier(g.indexName()))) {
		if err := g.exec(statement); err != nil {
			return dst, err
		}
	}
	if err := g.describe(); err != nil {
		return dst, err
	}
	var err error
	ctx := context.Background()
	marks := strings.Repeat(", ?", len(g.args)-1)
	if g.insert, err = g.conn.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s VALUES (?%s)", identifier(g.sheet.Layer.Name), marks)); err == nil {
		g.index, err = g.conn.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s VALUES (?, ?, ?, ?, ?)", identifier(g.indexName())))
	}
	return dst, g.told(err)
}

func (g *geoPackage) indexName() string { return "rtree_" + g.sheet.Layer.Name + "_" + g.geom }

// Append implements Writer.
func (g *geoPackage) Append(dst []byte, r *layer.Row) ([]byte, error) {
	if err := g.sheet.checkRow(r); err != nil {
		return dst, err
	}
	shape, err := g.sheet.shape(r.Geometry)
	if err != nil {
		return dst, g.sheet.rowError(r, "", err)
	}
	g.args[0], g.args[1] = r.ID, nil
	if shape != nil {
		if g.args[1], err = g.encode(shape); err != nil {
			return dst, g.sheet.rowError(r, "", err)
		}
	}
	for i, f := range g.sheet.Layer.Properties() {
		if g.args[i+2], err = g.argument(f.Kind, r.Values[i]); err != nil {
			return dst, g.sheet.rowError(r, f.Name, err)
		}
	}
	if g.changedAt >= 0 {
		g.note(g.args[g.changedAt+2])
	}
	ctx := context.Background()
	if _, err := g.insert.ExecContext(ctx, g.args...); err != nil {
		return dst, g.told(err)
	}
	if shape == nil {
		return dst, nil
	}
	b := boxOf(shape)
	if g.placed {
		g.bounds = g.bounds.with(b)
	} else {
		g.bounds, g.placed = b, true
	}
	_, err = g.index.ExecContext(ctx, r.ID, b.minX, b.maxX, b.minY, b.maxY)
	return dst, g.told(err)
}

// instant is how a GeoPackage writes a time, in UTC.
const instant = "2006-01-02T15:04:05.000Z"

// note keeps the latest time of change.
func (g *geoPackage) note(at any) {
	if text, ok := at.(string); ok {
		if when, err := time.Parse(instant, text); err == nil && when.After(g.changed) {
			g.changed = when
		}
	}
}

// argument is a value as SQLite takes it.
func (g *geoPackage) argument(k layer.Kind, value []byte) (any, error) {
	var err error
	if k == layer.TextList && value != nil {
		g.value, err = k.AppendJSON(g.value[:0], value)
		return string(g.value), err
	}
	var some bool
	if g.value, some, err = k.AppendText(g.value[:0], value); !some || err != nil {
		return nil, err
	}
	switch k { // AppendText has found values of eight bytes and of one
	case layer.Integer:
		return int64(binary.BigEndian.Uint64(value)), nil
	case layer.Number:
		return math.Float64frombits(binary.BigEndian.Uint64(value)), nil
	case layer.Boolean:
		return int64(value[0]), nil
	case layer.Timestamp:
		at, err := time.Parse(time.RFC3339Nano, string(g.value))
		return at.Format(instant), err
	}
	return string(g.value), nil
}

// encode writes a geometry as GeoPackage's blob: a header, bounds unless it is a point,
// and well-known binary.
func (g *geoPackage) encode(shape geom.T) ([]byte, error) {
	const littleEndian, withBounds = 1, 1 << 1
	_, isPoint := shape.(*geom.Point)
	flags := byte(littleEndian | withBounds)
	if isPoint {
		flags = littleEndian
	}
	g.blob = append(g.blob[:0], 'G', 'P', 0, flags)
	g.blob = binary.LittleEndian.AppendUint32(g.blob, uint32(g.sheet.CRS.SRID()))
	if !isPoint {
		b := boxOf(shape)
		for _, x := range []float64{b.minX, b.maxX, b.minY, b.maxY} {
			g.blob = binary.LittleEndian.AppendUint64(g.blob, math.Float64bits(x))
		}
	}
	a := appender(g.blob)
	err := wkb.Write(&a, wkb.NDR, shape)
	g.blob = a
	return g.blob, err
}

// End implements Writer.
func (g *geoPackage) End(dst []byte) ([]byte, error) {
	if err := errors.Join(g.insert.Close(), g.index.Close()); err != nil {
		return dst, err
	}
	if err := g.finish(); err != nil {
		return dst, err
	}
	err := errors.Join(g.exec("COMMIT"), g.conn.Close(), g.db.Close())
	g.db = nil
	return dst, err
}

// File implements Writer.
func (g *geoPackage) File() *os.File {
	file := g.file
	g.file = nil
	return file
}

// Close implements Writer.
func (g *geoPackage) Close() error {
	var errs []error
	if g.db != nil {
		for _, statement := range []*sql.Stmt{g.insert, g.index} {
			if statement != nil {
				errs = append(errs, statement.Close())
			}
		}
		if g.conn != nil {
			errs = append(errs, g.conn.Close())
		}
		errs = append(errs, g.db.Close())
	}
	if g.file != nil {
		errs = append(errs, g.file.Close())
	}
	return errors.Join(errs...)
}
