package tables_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"hatang/internal/formats"
	"hatang/internal/tables"
)

// TestTablesOfText: rows of text are a workbook that reads as the rows they were; codes keep
// their zeros, and what begins as a formula stays text.
func TestTablesOfText(t *testing.T) {
	text := "lon,lat,code,note\n103.5,21.25,03136,=1+1\n,x,094,\"a;\"\"b\"\"\"\n"
	var book bytes.Buffer
	w := formats.NewTableWriter(&book, "verdicts", func(name string) bool { return name == "lon" || name == "lat" })
	_, err := io.WriteString(w, text)
	if err := errors.Join(err, w.End(nil)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "v.xlsx")
	if err := os.WriteFile(path, book.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := tables.Open(t.Context(), path, tables.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := tables.CSV(t.Context(), table)
	out, err := io.ReadAll(in)
	if err := errors.Join(err, in.Close()); err != nil {
		t.Fatal(err)
	}
	if string(out) != text {
		t.Errorf("got %q\nwant %q", out, text)
	}
	// What breaks off is no workbook.
	book.Reset()
	broken, why := formats.NewTableWriter(&book, "verdicts", func(string) bool { return false }), errors.New("broke off")
	_, err = io.WriteString(broken, text)
	if err := errors.Join(err, broken.End(why)); err != nil || bytes.Contains(book.Bytes(), []byte("PK\x05\x06")) {
		t.Errorf("a workbook broken off: %v, %d bytes", err, book.Len())
	}
}
