package permit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// cutRows are the rows of a CSV text without a heading: their text, or their flaw.
func cutRows(t rapid.TB, in io.Reader) ([]string, *csvCutter) {
	t.Helper()
	cutter := &csvCutter{separator: ','}
	f, c := &feed{in: in, cutter: cutter}, &chunk{}
	var rows []string
	for {
		some, err := f.fill(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		if !some {
			return rows, cutter
		}
		for _, r := range c.rows {
			if r.flaw != flawless {
				rows = append(rows, fmt.Sprint("flaw ", r.flaw))
				continue
			}
			rows = append(rows, string(c.in[r.from:r.to]))
		}
	}
}

// rowsByTheRule cuts as csvCutter says it does, with no thought of the work.
func rowsByTheRule(in string) (rows []string) {
	for in != "" {
		line, _, _ := strings.Cut(in, "\n")
		end, fault := endOfRow(in)
		flaw := flawless
		if fault >= 0 {
			end = len(line)
			if fault >= len(line) {
				flaw = unclosed
			}
		}
		row := strings.TrimSuffix(in[:end], "\r")
		switch {
		case row != "" && flaw != flawless:
			rows = append(rows, fmt.Sprint("flaw ", flaw))
		case row != "":
			rows = append(rows, row)
		}
		in = in[min(end+1, len(in)):]
	}
	return rows
}

// endOfRow is where a row ends whose quoted cells are all in order; otherwise fault
// is where that is seen, not -1.
func endOfRow(in string) (end, fault int) {
	for at := 0; ; {
		if at < len(in) && in[at] == '"' {
			n := strings.IndexByte(strings.ReplaceAll(in[at+1:], `""`, "xx"), '"')
			if n < 0 {
				return 0, len(in)
			}
			at += n + 2
			after := in[at:]
			if after != "" && after != "\r" && !strings.HasPrefix(after, "\r\n") && after[0] != '\n' && after[0] != ',' {
				return 0, at
			}
		}
		n := strings.IndexAny(in[at:], ",\n")
		switch {
		case n < 0:
			return len(in), -1
		case in[at+n] == '\n':
			return at + n, -1
		}
		at += n + 1
	}
}

// Rows end where the rule says, however the text comes in pieces, and for a bounded
// work. A line without any quotation mark, behind lines that have none open, is a
// row of its own.
func TestCSVRowsEndByTheRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{`"`, `"`, `"`, `""`, ",", "\n", "\n", "\r\n", "x", "\r", "ab,c"}), 0, 40).Draw(t, "pieces")
		checkRule(t, strings.Join(pieces, ""))
	})
}

func checkRule(t rapid.TB, in string) {
	t.Helper()
	whole, cutter := cutRows(t, strings.NewReader(in))
	if diff := cmp.Diff(rowsByTheRule(in), whole); diff != "" {
		t.Errorf("%q (-rule +cut)\n%s", in, diff)
	}
	pieces, slow := cutRows(t, iotest.OneByteReader(strings.NewReader(in)))
	if diff := cmp.Diff(whole, pieces); diff != "" {
		t.Errorf("%q (-whole +pieces)\n%s", in, diff)
	}
	for _, c := range []*csvCutter{cutter, slow} {
		if most := maxScans * int64(len(in)); c.scanned > most {
			t.Errorf("%q: %d bytes looked at, at most %d", in, c.scanned, most)
		}
	}
}

// maxScans is how often the cutter may look at a byte: for the end of its line, for
// quotation marks, and twice for what they enclose.
const maxScans = 4

// The work for hostile quotation marks does not grow with what lies behind them.
func TestCSVHostileQuotesCostNoMore(t *testing.T) {
	for _, line := range []string{"x\",\"\n", "\"\n", "\"a\n", "a,\"\n", "\"\"\"\n", "\",\"\n", "x,\"y\n\"\"\n"} {
		in := strings.Repeat(line, 400<<10/len(line))
		for _, reader := range []io.Reader{strings.NewReader(in), iotest.HalfReader(strings.NewReader(in))} {
			rows, cutter := cutRows(t, reader)
			if most := maxScans * int64(len(in)); cutter.scanned > most {
				t.Errorf("%q: %d bytes looked at, at most %d; %d rows", line, cutter.scanned, most, len(rows))
			}
		}
	}
}

// A cell of many lines that is too long makes one bad row, up to the look-ahead.
func TestCSVLongQuotedCells(t *testing.T) {
	cell := func(n int) string { return `"` + strings.Repeat("a\n", n/2) + `",x` + "\n" }
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"short", "a\n" + cell(100) + "b\n", []string{"a", strings.TrimSuffix(cell(100), "\n"), "b"}},
		{"too long", "a\n" + cell(80_000) + "b\n", []string{"a", "flaw 1", "b"}},
		{"just looked ahead to", cell(maxQuotedBytes-4) + "b\n", []string{"flaw 1", "b"}},
		{"a line too long in it", "\"" + strings.Repeat("x", MaxRowBytes+9) + "\ny\",z\nb\n", []string{"flaw 1", "b"}},
	} {
		for _, reader := range []io.Reader{strings.NewReader(tt.in), iotest.HalfReader(strings.NewReader(tt.in))} {
			got, _ := cutRows(t, reader)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%.2000s", tt.name, diff)
			}
		}
	}
	// Beyond that, each of its lines is a row.
	if got, _ := cutRows(t, strings.NewReader(cell(maxQuotedBytes)+"b\n")); len(got) != maxQuotedBytes/2+2 || got[len(got)-1] != "b" {
		t.Errorf("%d rows", len(got))
	}
}

func TestCSVBadQuotesEndWithTheirLine(t *testing.T) {
	in := "lon,lat,mast_type,code\n0,1,A2b,\"abc\n0,1,A2b,\"def\n0,1,A2b,ok\n"
	want := "lon,lat,mast_type,code,verdict,commune,district,errors\n,,,,,,,row 1: a quotation mark does not close\n,,,,,,,row 2: a quotation mark does not close\n0,1,A2b,ok,permitted,c0,d,\n"
	got, _, err := runBatch(t, batchOf(CSV, OutCSV, DetailVerdict), in)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	vi := batchOf(CSV, OutCSV, DetailVerdict)
	vi.Language = "vi"
	if got, _, err := runBatch(t, vi, in); err != nil || !strings.Contains(got, ",hàng 2: có dấu") {
		t.Errorf("%v, %q", err, got)
	}
}

// Text that nobody has to look into is kept as it came.
func TestFeedKeepsRows(t *testing.T) {
	var in bytes.Buffer
	var want []string
	for i := range 5000 {
		row := fmt.Sprintf("%d,%s", i, strings.Repeat("x", i%300))
		want = append(want, row)
		in.WriteString(row + "\n")
	}
	if got, _ := cutRows(t, iotest.HalfReader(&in)); cmp.Diff(want, got) != "" {
		t.Error(cmp.Diff(want, got))
	}
}
