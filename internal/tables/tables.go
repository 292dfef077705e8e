// Package tables reads the files of strangers as rows: what stands in them, before anybody
// says what it means. Which field a column is, what a text's value is, and where a pair of
// numbers lies is for package intake.
package tables

import (
	"context"

	"github.com/twpayne/go-geom"

	"hatang/internal/layer"
)

// Table is the rows of a file as they stand in it.
type Table interface {
	// Columns are the names of the columns, as the file has them but in NFC, in its order.
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
	Close() error
}

// Row is a row of a table.
type Row struct {
	Number int64 // of the row, as a person counts who opens the file: a line of text, a row of a sheet, else from 1
	// Cells are in the order of Columns: nil for none, a string in NFC, a float64, an int64,
	// a bool, or a time.Time for a date or a time.
	Cells    []any
	Geometry geom.T       // in the file's own system, x before y; nil for none
	Faults   layer.Faults // of what cannot be read
}

// Guess is something found out about a file.
type Guess struct {
	What  string `json:"what"`  // "encoding", "separator", "decimal_comma", "header_row", "sheet", …
	Value string `json:"value"` // as the option of the same name takes it
	Why   string `json:"why"`   // in a few words, English
}

// Options say what a file does not, or which part of it is meant; the zero value guesses.
type Options struct {
	Table        string // table of a GeoPackage, sheet of a workbook, file in an archive, layer of a drawing
	HeaderRow    int    // row of a sheet or line of a CSV file with the columns' names, from 1
	Encoding     string // "utf-8", "windows-1258", "tcvn3", "vni"
	Separator    string // of CSV: one character
	DecimalComma string // "yes" or "no"
}
