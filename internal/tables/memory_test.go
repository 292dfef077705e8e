package tables

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// readHere is the variable by which this program is told to read a file, and nothing else, so
// that what that takes can be measured.
const readHere = "HATANG_TEST_READ"

func TestMain(m *testing.M) {
	path := os.Getenv(readHere)
	if path == "" {
		os.Exit(m.Run())
	}
	table, err := Open(context.Background(), path, Options{Table: os.Getenv(readHere + "_TABLE")})
	rows := 0
	if err == nil {
		err = table.Read(context.Background(), func(*Row) error {
			rows++
			return nil
		})
	}
	status, failed := os.ReadFile("/proc/self/status")
	_, peak, found := strings.Cut(string(status), "VmHWM:")
	if failed != nil || !found {
		panic("the system does not say what memory was taken")
	}
	fmt.Println(strings.Fields(peak)[0], rows, err)
	os.Exit(0)
}

// readingAlone reads a file in a process of its own and returns what it says and the most memory
// that it took, bytes.
func readingAlone(t *testing.T, path, table string) (said string, most int64) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), readHere+"="+path, readHere+"_TABLE="+table)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	peak, said, _ := strings.Cut(string(out), " ")
	kilobytes, err := strconv.ParseInt(peak, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return said, kilobytes << 10
}

// The largest and the worst of each format take no more than 64 MB beside the program itself.
func TestMemoryIsBounded(t *testing.T) {
	const limit = 64 << 20
	_, base := readingAlone(t, written(t, "x.csv", []byte(someCSV)), "")
	long := "[" + strings.TrimSuffix(strings.Repeat("[103.1234567,21.1234567],", MaxPositions), ",") + "]"
	texts := "<si><t>" + strings.ReplaceAll(noise(40<<10), "7", "</t></si><si><t>") + "</t></si>" // longer than what ZIP looks back at
	points := strings.Repeat("103.1234567,21.1234567,0 ", MaxRowBytes/26)
	for _, c := range []struct {
		what, said, table string
		content           []byte
	}{
		{what: "lines of the longest", content: bytes.Repeat(append(bytes.Repeat([]byte("a,"), 500), []byte(strings.Repeat("b", MaxLineBytes-1100)+"\n")...), 20)},
		{what: "a quotation mark", said: "longer than", content: append([]byte("a,b\n1,\""), bytes.Repeat([]byte("a\n"), 4<<20)...)},
		{what: "a workbook's texts", said: "MB of text", table: "Cột", content: zipped(t, "xl/workbook.xml", bookXML, "xl/_rels/workbook.xml.rels", relsXML, "xl/sharedStrings.xml", "<sst>"+strings.Repeat(texts, 1<<9))},
		{what: "a row of attributes", said: "a tag", table: "Cột", content: zipped(t, "xl/workbook.xml", bookXML, "xl/_rels/workbook.xml.rels", relsXML, "xl/worksheets/s3.xml", "<worksheet><a b"+strings.ReplaceAll(noise(1<<20), "7", "='' b"))},
		{what: "a placemark", content: []byte("<kml><Placemark><LineString><coordinates>" + points + "</coordinates></LineString></Placemark></kml>")},
		{what: "a feature", content: []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"LineString","coordinates":` + long + `}}]}`)},
		{what: "a feature too long", said: "longer than", content: []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"LineString","coordinates":` + strings.Repeat("["+long+",", 20))},
		{what: "nested lists", said: "the GeoJSON cannot be read", content: []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":` + strings.Repeat("[", 20<<20))},
		{what: "names of properties", said: "the name of a column", content: []byte(`{"type":"FeatureCollection","features":[` + strings.Repeat(`{"type":"Feature","properties":{"`+noise(1<<20)+`":1}},`, 60) + `{}]}`)},
		{what: "other members", said: "longer than", content: []byte(`{"type":"FeatureCollection",` + strings.Repeat(`"`+noise(20)+`":"`+noise(1<<20)+`",`, 60) + `"features":[]}`)},
		{what: "names of folders", content: []byte("<kml>" + strings.Repeat("<Folder><name>"+noise(4<<20)+"</name>", 15) + "<Placemark/>" + strings.Repeat("</Folder>", 15) + "</kml>")},
		{what: "names of layers", content: drawing("", strings.Repeat("0 POINT|10 1|20 2|8 "+noise(1<<19)+"\n", 100))},
		{what: "formats of numbers", table: "Cột", said: "lacks the sheet", content: zipped(t, "xl/workbook.xml", bookXML, "xl/_rels/workbook.xml.rels", relsXML, "xl/styles.xml", "<styleSheet>"+strings.Repeat(`<numFmt numFmtId="1" formatCode="`+noise(50<<10)+`"/>`, 1<<10)+"</styleSheet>")},
		{what: "a shape", content: polygonRecord(spiral(MaxPositions))},
		{what: "a shape of squares", content: polygonRecord(squares(MaxPositions / 5)...)},
		{what: "a drawing", said: "more than 250000 positions", content: drawing("", "0 POLYLINE|70 0\n"+strings.Repeat("0 VERTEX|10 1234567.1234|20 7654321.1234\n", 400_000))},
		{what: "a drawing of texts", content: drawing("", strings.Repeat("0 TEXT|10 1234567.1234|20 7654321.1234|40 2|1 "+strings.Repeat("a", 100)+"\n", 150_000))},
		{what: "a drawing of points", content: drawing("", strings.Repeat("0 TEXT|10 1|20 2|40 2|1 a\n0 POINT|10 1|20 2\n", 100_000))},
		{what: "a MIF file", content: []byte("Version 300\nData\nPline 250000\n" + strings.Repeat("1234567.123 7654321.123\n", MaxPositions))},
		{what: "a FlatGeobuf", said: "damaged", content: append([]byte(fgbMagic+"\x00"), binary.LittleEndian.AppendUint32(nil, 4<<20)...)},
	} {
		path := written(t, "x", c.content)
		said, most := readingAlone(t, path, c.table)
		if most-base > limit {
			t.Errorf("%s: %d MB", c.what, (most-base)>>20)
		}
		t.Logf("%s: %d MB: %.100s", c.what, (most-base)>>20, said)
		if !strings.Contains(said, c.said) || c.said == "" && !strings.HasSuffix(said, "<nil>\n") {
			t.Errorf("%s: %s", c.what, said)
		}
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
	_, most := readingAlone(t, shared(t, "boundaries/dienbien_communes_2025_full.gpkg"), "")
	t.Logf("a GeoPackage: %d MB", (most-base)>>20)
	if most-base > limit {
		t.Errorf("a GeoPackage: %d MB", (most-base)>>20)
	}
}

// spiral is a ring of so many positions.
func spiral(n int) []float64 {
	ring := make([]float64, 0, 2*n)
	for i := range n {
		ring = append(ring, float64(i%1000), float64(i/1000))
	}
	return ring
}

// squares are so many beside each other.
func squares(n int) [][]float64 {
	all := make([][]float64, 0, n)
	for i := range n {
		all = append(all, square(float64(2*i), 0, 1, true))
	}
	return all
}
