package formats

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"hatang/internal/layer"
)

// Source is the features of a file, which may be read more than once.
type Source interface {
	// Survey reads all of it and returns what it holds; key names a column whose values may
	// be keys, "" for one that is called code.
	Survey(ctx context.Context, key string) (Survey, error)
	// Read hands each feature on, as one of the layer, faults and all; an error of each ends
	// it and is returned. resolve says what the file's reference system is; it is given ""
	// where the file names none.
	Read(ctx context.Context, l *layer.Layer, resolve func(crs string) (System, error), each func(Record) error) error
	Close() error
}

// ErrUnknownFormat is returned for a file of no format that is read.
var ErrUnknownFormat = errors.New("the file is neither GeoJSON nor a GeoPackage, which ogr2ogr makes of other formats")

// Open opens a file by what it begins with, whatever it is called: a GeoPackage, of which
// table names the table where it has several, or else GeoJSON, which is read by way of watch
// each time, if that is not nil.
func Open(ctx context.Context, path, table string, watch func(*os.File) (io.Reader, error)) (Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	const magic = "SQLite format 3\x00"
	start := make([]byte, len(magic))
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.Join(err, f.Close())
	}
	if string(start[:n]) == magic {
		if err := f.Close(); err != nil {
			return nil, err
		}
		g, err := openGeoPackage(ctx, path, table, maxValueBytes)
		if err != nil {
			return nil, err
		}
		return g, nil
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(start[:n], []byte("\ufeff")), " \t\r\n")
	if n > 0 && (len(text) == 0 || text[0] != '{') {
		return nil, errors.Join(ErrUnknownFormat, f.Close())
	}
	if table != "" {
		return nil, errors.Join(fmt.Errorf("a GeoJSON file has no tables, and so no %q", table), f.Close())
	}
	return &geoJSONFile{f, watch}, nil
}

// geoJSONFile is a GeoJSON file as a Source.
type geoJSONFile struct {
	file  *os.File
	watch func(*os.File) (io.Reader, error)
}

// Close implements Source.
func (g *geoJSONFile) Close() error { return g.file.Close() }

// again begins at the file's start.
func (g *geoJSONFile) again(ctx context.Context) (io.Reader, error) {
	if _, err := g.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var in io.Reader = g.file
	if g.watch != nil {
		var err error
		if in, err = g.watch(g.file); err != nil {
			return nil, err
		}
	}
	return bufio.NewReaderSize(&interruptible{ctx, in}, 1<<20), nil
}

// interruptible ends when its context does.
type interruptible struct {
	ctx context.Context
	in  io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.in.Read(p)
}

// Survey implements Source.
func (g *geoJSONFile) Survey(ctx context.Context, key string) (Survey, error) {
	in, err := g.again(ctx)
	if err != nil {
		return Survey{}, err
	}
	return SurveyGeoJSON(in, key)
}

// Read implements Source.
func (g *geoJSONFile) Read(ctx context.Context, l *layer.Layer, resolve func(crs string) (System, error), each func(Record) error) error {
	in, err := g.again(ctx)
	if err != nil {
		return err
	}
	return ReadGeoJSON(in, l, resolve, each)
}
