package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hatang/internal/formats"
	"hatang/internal/layer"
)

// ogrReadsFormats: every layer in every format is to GDAL what it is to us.
func ogrReadsFormats(t *testing.T, s *server) {
	dir := freshDir(t)
	for _, l := range layersOf(t) {
		want := foreignFeatures(t, s.download(t, l, "f=geojson"))
		if len(want) == 0 {
			t.Errorf("%s has no features", l.Name)
		}
		for _, f := range formats.Of(l) {
			if f.Name() == "ofds" { // GDAL does not know it: see openFibreIsRoutes
				continue
			}
			path := filepath.Join(dir, l.Name+f.Extensions[0])
			if err := os.WriteFile(path, s.download(t, l, "f="+f.Name()), 0o600); err != nil {
				t.Fatal(err)
			}
			if d := difference(l, f.Name(), want, readBack(t, l, &f, path, "")); d != "" {
				t.Errorf("%s as %s: %s", l.Name, f.Name(), d)
			}
		}
	}
}

// openFibreIsRoutes: the Open Fibre Data Standard's package has a span for each line of a
// route, in its place, and the nodes that they lead to.
func openFibreIsRoutes(t *testing.T, s *server) {
	l, _ := registryOf(t).Get("fibre_routes")
	var p struct {
		Networks []struct {
			Nodes []struct{ ID string }
			Spans []struct {
				ID, Start, End string
				Route          struct{ Coordinates any }
			}
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(s.download(t, l, "f=ofds")))
	decoder.UseNumber()
	if err := decoder.Decode(&p); err != nil || len(p.Networks) != 1 {
		t.Fatalf("%d networks, %v", len(p.Networks), err)
	}
	nodes, spans := map[string]bool{}, map[string]any{}
	for _, node := range p.Networks[0].Nodes {
		nodes[node.ID] = true
	}
	for _, span := range p.Networks[0].Spans {
		if spans[span.ID] = span.Route.Coordinates; !nodes[span.Start] || !nodes[span.End] {
			t.Errorf("span %s leads from %s to %s, which are no nodes", span.ID, span.Start, span.End)
		}
	}
	drawn := 0
	for _, f := range foreignFeatures(t, s.call(t, http.MethodGet, "/api/v1/collections/fibre_routes/items?limit=10000", "", bearer(s.key)...).body) {
		lines, _ := f.Geometry.Coordinates.([]any)
		for i, line := range lines {
			id := f.known()
			if drawn++; len(lines) > 1 {
				id += fmt.Sprint("-", i+1)
			}
			if d := apart(line, spans[id]); d != "" {
				t.Errorf("span %s: %s", id, d)
			}
		}
	}
	if drawn == 0 || drawn != len(spans) || len(nodes) != len(p.Networks[0].Nodes) {
		t.Errorf("%d lines, %d spans, %d nodes", drawn, len(spans), len(nodes))
	}
}

// ogrReadsGrids: files on VN-2000's grids name their system so that GDAL finds the way back.
// Each format has each system once, and points, lines and areas take turns.
func ogrReadsGrids(t *testing.T, s *server) {
	dir := freshDir(t)
	names := []string{"bts_sites", "ducts", "mast_zones"}
	want := map[string][]foreign{}
	for i, format := range []string{"gpkg", "fgb", "shp"} {
		f, _ := formats.Named(format)
		for j, crs := range []string{"EPSG:9205", "EPSG:3405", "EPSG:4756", "EPSG:4326", "EPSG:3857"} {
			l, _ := registryOf(t).Get(names[(i+j)%len(names)])
			if want[l.Name] == nil {
				want[l.Name] = foreignFeatures(t, s.download(t, l, "f=geojson"))
			}
			path := filepath.Join(dir, strings.ReplaceAll(l.Name+crs, ":", "-")+f.Extensions[0])
			if err := os.WriteFile(path, s.download(t, l, "f="+format+"&crs="+crs), 0o600); err != nil {
				t.Fatal(err)
			}
			if d := difference(l, format, want[l.Name], readBack(t, l, &f, path, crs)); d != "" {
				t.Errorf("%s as %s in %s: %s", l.Name, format, crs, d)
			}
		}
	}
}

func registryOf(t *testing.T) *layer.Registry {
	t.Helper()
	r, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// spoiltFormatsAreFound: the comparison with GDAL sees one byte of a text, one of a
// place, and axes that are swapped.
func spoiltFormatsAreFound(t *testing.T, s *server) {
	dir := freshDir(t)
	l, _ := registryOf(t).Get("bts_sites")
	want := foreignFeatures(t, s.download(t, l, "f=geojson"))
	if d := difference(l, "geojson", want, foreignFeatures(t, s.download(t, l, "f=geojson&crs=EPSG:4326"))); d == "" {
		t.Error("swapped axes are not found")
	}
	at, _ := want[10].Geometry.Coordinates.([]any)
	digits, _ := at[0].(json.Number)
	lon, err := digits.Float64()
	if err != nil {
		t.Fatal(err)
	}
	ordinate := binary.LittleEndian.AppendUint64(nil, math.Float64bits(lon))
	moved := slices.Clone(ordinate)
	moved[5]++ // some metres
	code, _ := want[10].Properties["code"].(string)
	for _, f := range formats.Of(l) {
		raw := s.download(t, l, "f="+f.Name())
		place := [2][]byte{[]byte(digits), []byte(string(digits)[:len(digits)-1] + "0")}
		if f.InFile && f.Name() != "xlsx" {
			place = [2][]byte{ordinate, moved}
		}
		for what, change := range map[string][2][]byte{"text": {[]byte(code), []byte("?" + code[1:])}, "place": place} {
			spoilt := replaced(t, &f, raw, change[0], change[1])
			if spoilt == nil {
				t.Fatalf("%s: there is no %q to be spoilt", f.Name(), change[0])
			}
			path := filepath.Join(dir, what+f.Extensions[0])
			if err := os.WriteFile(path, spoilt, 0o600); err != nil {
				t.Fatal(err)
			}
			if difference(l, f.Name(), want, readBack(t, l, &f, path, "")) == "" {
				t.Errorf("%s: a spoilt %s is not found", f.Name(), what)
			}
		}
	}
}

// replaced is a file with some bytes changed; nil where that changes nothing.
func replaced(t *testing.T, f *formats.Format, raw, from, to []byte) []byte {
	t.Helper()
	if !f.Packed {
		if changed := bytes.ReplaceAll(raw, from, to); !bytes.Equal(raw, changed) {
			return changed
		}
		return nil
	}
	var b bytes.Buffer
	changed := false
	z := zip.NewWriter(&b)
	for name, content := range members(t, raw) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		now := bytes.ReplaceAll(content, from, to)
		if changed = changed || !bytes.Equal(content, now); err == nil {
			_, err = w.Write(now)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil || !changed {
		return nil
	}
	return b.Bytes()
}

// exportsAreDownloads: the command writes what the server sends, byte for byte.
func exportsAreDownloads(t *testing.T, s *server) {
	dir, files := freshDir(t), 1
	for _, name := range []string{"bts_sites", "fibre_routes"} {
		l, _ := registryOf(t).Get(name)
		for _, f := range formats.Of(l) {
			files++
			path := filepath.Join(dir, name+f.Extensions[0])
			hatang(t, "export", name, path, "--data", s.dir, "--date", "2020-12-31").wants(t, exitDone, "")
			raw, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(raw, s.download(t, l, "f="+f.Name())) {
				t.Errorf("%s as %s is exported otherwise than sent: %v", name, f.Name(), err)
			}
		}
	}
	path := filepath.Join(dir, "grid.csv")
	hatang(t, "export", "bts_sites", path, "--data", s.dir, "--date", "2020-12-31", "--crs", "EPSG:9205", "--bom").wants(t, exitDone, "")
	l, _ := registryOf(t).Get("bts_sites")
	if raw, err := os.ReadFile(path); err != nil || !bytes.Equal(raw, s.download(t, l, "f=csv&crs=EPSG:9205&bom=true")) {
		t.Errorf("a grid's CSV is exported otherwise than sent: %v", err)
	}
	for _, args := range [][]string{{"x.shp"}, {"x"}, {"x.kml", "--crs", "EPSG:9205"}, {"x.gpkg", "--bom"}, {"x.csv", "--crs", "EPSG:1"}, {"x.ofds.json"}} {
		hatang(t, append([]string{"export", "bts_sites", "--data", s.dir}, args...)...).wants(t, exitUsage, "")
	}
	if left := slices.Collect(maps.Keys(filesIn(t, dir))); len(left) != files {
		t.Errorf("%v are left", left)
	}
}

func filesIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name()] = true
	}
	return names
}
