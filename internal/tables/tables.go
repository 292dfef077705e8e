// Package tables reads the files of strangers as rows: what stands in them, before anybody
// says what it means. Which field a column is, what a text's value is, and where a pair of
// numbers lies is for package intake.
//
// A file is known by what it begins with, not by its name. Every reader goes through its file
// from the start to the end and holds a row at a time; what it must know before the first row
// (the columns, the encoding) it finds in a pass of its own when the file is opened. A file
// that breaks a limit or its format is refused with an error that is a *layer.ValueError, in
// both languages; what is wrong with one row is in its Faults.
package tables

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/twpayne/go-geom"

	"hatang/internal/layer"
)

// Table is the rows of a file as they stand in it.
type Table interface {
	// Columns are the names of the columns, as the file has them but in NFC, in its order,
	// and no two alike: a name that comes again is followed by " (2)", a column without one
	// that holds something is "column 3".
	Columns() []string
	// CRS names the reference system that the file says its geometries are in: an authority
	// and a code ("EPSG:9205") where one was found, or else the file's own words; "" for none.
	CRS() string
	// Guesses are what was found out about the file that it does not say.
	Guesses() []Guess
	// Read hands on each row, from the first one on; it may be called again. A row is valid
	// until each returns; an error of each ends the reading and is returned as it is. What
	// is wrong with one row is that row's; an error of Read is the whole file's.
	Read(ctx context.Context, each func(*Row) error) error
	// Close lets go of the file, and of what was unpacked of it.
	Close() error
}

// Row is a row of a table.
type Row struct {
	Number int64 // of the row, as a person counts who opens the file: a line of text, a row of a sheet, else from 1
	// Cells are in the order of Columns: nil for none, a string in NFC, a float64, an int64,
	// a bool, or a time.Time for a date or a time.
	Cells []any
	// Geometry is in the file's own system, x before y, with heights where it has them
	// (geom.XYZ) but never with measures; nil for none.
	Geometry geom.T
	// Faults are of what cannot be read: at "/properties/" and a column's name, at "/geometry",
	// or at "" where the whole row is meant.
	Faults layer.Faults
}

// Guess is something found out about a file. Beside those that an option overrides there are
// "header_rows" (how many name the columns), "numbering_row" (one that counts them),
// "joined_cells" (of a sheet, filled), "attributes" (there are none beside the geometries),
// "columns" (that are not read), "links" (that are not followed), "asterisks" (columns of numbers in which they
// are no value), and "text" (whether texts of
// a drawing are the attributes of what they stand near).
type Guess struct {
	What  string `json:"what"`  // of Options: "encoding", "separator", "decimal_comma", "header_row", "table"; else what is said below
	Value string `json:"value"` // as the option of the same name takes it
	Why   string `json:"why"`   // in a few words, English
}

// Options say what a file does not, or which part of it is meant; the zero value guesses.
type Options struct {
	Table        string // table of a GeoPackage, sheet of a workbook, file in an archive, layer of a drawing
	HeaderRow    int    // row of a sheet or line of a CSV file with the columns' names, from 1; -1 for none
	Encoding     string // "utf-8", "windows-1258", "tcvn3", "vni", "utf-8-twice" (taken for Latin once, and written again), or another name that browsers know
	Separator    string // of CSV: one character; " " for any number of blanks
	DecimalComma string // "yes" or "no"
	// BytesRead counts what is read of a file that is read from its start to its end, as
	// often as it is; nil where nobody asks.
	BytesRead *atomic.Int64
}

// WhichError is returned for a file of several tables of which Options.Table names none.
type WhichError struct{ Tables []string }

// Error lists the tables.
func (e *WhichError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the same in both languages.
func (e *WhichError) Unwrap() error {
	const most = 20
	list := strings.Join(e.Tables[:min(most, len(e.Tables))], ", ")
	if len(e.Tables) > most {
		list += ", …"
	}
	return layer.Wrong("tệp có nhiều bảng, hãy nêu bảng cần đọc: %s", "the file has several tables, say which one is meant: %s", list)
}

// Limits of what is read. Every one is refused in words, when it is met.
const (
	MaxColumns   = 1000    // of any table
	MaxRowBytes  = 6 << 20 // that a feature of a file may take
	MaxLineBytes = 1 << 20 // of a line of text
	MaxPositions = 250_000 // of one geometry
	MaxHeaderRow = 1000    // that may be named as the one with the columns' names
)
