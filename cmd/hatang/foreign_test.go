package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"hatang/internal/formats"
	"hatang/internal/layer"
)

// foreign is a feature as some reader has it.
type foreign struct {
	ID         any `json:"id"`
	Properties map[string]any
	Geometry   struct {
		Type        string
		Coordinates any
	}
}

func foreignFeatures(t *testing.T, raw []byte) []foreign {
	t.Helper()
	var c struct{ Features []foreign }
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&c); err != nil {
		t.Fatalf("%v in %.500s", err, raw)
	}
	return c.Features
}

// throughGDAL has GDAL read a file and write it as GeoJSON, on WGS 84.
func throughGDAL(t *testing.T, l *layer.Layer, f *formats.Format, path, crs string) []byte {
	t.Helper()
	if f.Name() == "xlsx" {
		path = placedSheet(t, l, path)
	}
	args := []string{"-f", "GeoJSON", "-preserve_fid", "-lco", "COORDINATE_PRECISION=15", "/vsistdout/", path}
	if crs != "" {
		args = append([]string{"-t_srs", "OGC:CRS84"}, args...)
	}
	switch {
	case f.Name() == "shp": // whose rings run the other way round
		args = append([]string{"-lco", "RFC7946=YES"}, args...)
	case f.Name() == "xlsx":
		args = append([]string{"--config", "OGR_XLSX_HEADERS", "FORCE"}, args...)
	case f.Name() == "csv":
		args = append([]string{"-a_srs", "OGC:CRS84", "-oo", "X_POSSIBLE_NAMES=lon", "-oo", "Y_POSSIBLE_NAMES=lat", "-oo", "GEOM_POSSIBLE_NAMES=wkt", "-oo", "KEEP_GEOM_COLUMNS=NO"}, args...)
	}
	cmd := exec.CommandContext(t.Context(), "ogr2ogr", args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || said.Len() > 0 {
		t.Fatalf("ogr2ogr %v: %v\n%s", args, err, said.String())
	}
	return out
}

// placedSheet tells GDAL, which takes sheets for tables, where their rows are.
func placedSheet(t *testing.T, l *layer.Layer, path string) string {
	t.Helper()
	place := `encoding="WKT" field="wkt"`
	if l.Geometry == layer.Point {
		place = `encoding="PointFromColumns" x="lon" y="lat"`
	}
	vrt := strings.TrimSuffix(path, ".xlsx") + ".vrt"
	text := fmt.Sprintf(`<OGRVRTDataSource><OGRVRTLayer name="%s"><SrcDataSource>%s</SrcDataSource><LayerSRS>OGC:CRS84</LayerSRS><GeometryField %s/></OGRVRTLayer></OGRVRTDataSource>`, l.Name, path, place)
	if err := os.WriteFile(vrt, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return vrt
}

// readBack are a file's features as GDAL has them, with the names that fields have here.
func readBack(t *testing.T, l *layer.Layer, f *formats.Format, path, crs string) []foreign {
	t.Helper()
	features := foreignFeatures(t, throughGDAL(t, l, f, path, crs))
	if f.Name() != "shp" {
		return features
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, line := range strings.Split(string(members(t, raw)["FIELDS.txt"]), "\n") {
		if column, field, ok := strings.Cut(line, "\t"); ok {
			names[column], _, _ = strings.Cut(field, "\t")
		}
	}
	for i := range features {
		named := map[string]any{}
		for column, value := range features[i].Properties {
			named[names[column]] = value
		}
		features[i].Properties = named
		if g := &features[i].Geometry; "Multi"+g.Type == string(l.Geometry) { // to GDAL, what has one part is single
			g.Type, g.Coordinates = string(l.Geometry), []any{g.Coordinates}
		}
	}
	return features
}

// members are the files in a zip, by name.
func members(t *testing.T, raw []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if all[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// known is a feature's id: where the format has none, it is a property.
func (f *foreign) known() string {
	if f.ID != nil {
		if id, ok := f.Properties["id"]; ok {
			return fmt.Sprint(id)
		}
		return fmt.Sprint(f.ID)
	}
	return fmt.Sprint(f.Properties["id"])
}

// plainly is a value of a kind in one form, whatever the reader makes of it; null is "∅".
func plainly(kind layer.Kind, value any) string {
	if value == nil {
		return "∅"
	}
	s := fmt.Sprint(value)
	switch kind {
	case layer.Integer, layer.Number:
		if x, err := strconv.ParseFloat(s, 64); err == nil {
			return strconv.FormatFloat(x, 'g', -1, 64)
		}
	case layer.Boolean:
		return map[string]string{"true": "true", "1": "true", "T": "true", "false": "false", "0": "false", "F": "false"}[s]
	case layer.Date:
		return strings.TrimSuffix(strings.ReplaceAll(s, "/", "-"), "T00:00:00")
	case layer.Timestamp:
		for _, form := range []string{time.RFC3339Nano, "2006/01/02 15:04:05.999-07", "2006-01-02T15:04:05.999"} {
			if at, err := time.Parse(form, s); err == nil {
				return at.UTC().Format(time.RFC3339Nano)
			}
		}
	case layer.TextList:
		list, ok := value.([]any)
		if !ok && strings.HasPrefix(s, "[") && json.Unmarshal([]byte(s), &list) == nil {
			ok = true
		}
		if ok {
			s = strings.Trim(strings.ReplaceAll(fmt.Sprintf("%q", list), `" "`, ","), `[]"`)
		}
	}
	return s
}

// together reports whether two times are one, to the millisecond that files keep.
func together(a, b string) bool {
	x, errX := time.Parse(time.RFC3339Nano, a)
	y, errY := time.Parse(time.RFC3339Nano, b)
	return errX == nil && errY == nil && x.Sub(y).Abs() <= time.Millisecond
}

// difference says where two readings of a layer differ, "" where they do not: ids,
// values by the kind of their field, geometries to a ten-millionth of a degree.
func difference(l *layer.Layer, format string, want, got []foreign) string {
	of := map[string]*foreign{}
	for i := range got {
		of[got[i].known()] = &got[i]
	}
	if len(got) != len(want) || len(of) != len(got) {
		return fmt.Sprintf("%d features with %d ids of %d", len(got), len(of), len(want))
	}
	for i := range want {
		w := &want[i]
		g := of[w.known()]
		if g == nil {
			return "no feature " + w.known()
		}
		for _, f := range l.Fields {
			a, b := plainly(f.Kind, w.Properties[f.Name]), plainly(f.Kind, g.Properties[f.Name])
			if format == "kml" && f.Name == "name" && a != "∅" { // GDAL has one field for it and the placemark's name
				b = plainly(f.Kind, g.Properties["Name"])
			}
			if format == "csv" && b == "" { // to GDAL, CSV has no null
				b = "∅"
			}
			if len(a) > formats.MaxShapefileText && format == "shp" && len(b) > formats.MaxShapefileText-4 {
				a = a[:len(b)]
			}
			if a != b && (f.Kind != layer.Timestamp || !together(a, b)) {
				return fmt.Sprintf("%s of %s is %q, want %q", f.Name, w.known(), b, a)
			}
		}
		if w.Geometry.Type != g.Geometry.Type {
			return fmt.Sprintf("the geometry of %s is a %s, want a %s", w.known(), g.Geometry.Type, w.Geometry.Type)
		}
		if d := apart(w.Geometry.Coordinates, g.Geometry.Coordinates); d != "" {
			return fmt.Sprintf("the geometry of %s: %s", w.known(), d)
		}
	}
	return ""
}

// apart compares two trees of coordinates.
func apart(want, got any) string {
	if a, ok := want.(json.Number); ok {
		b, _ := got.(json.Number)
		x, errX := a.Float64()
		y, errY := b.Float64()
		if errX != nil || errY != nil || math.Abs(x-y) > 1.01e-7 {
			return fmt.Sprintf("%s, want %s", b, a)
		}
		return ""
	}
	a, _ := want.([]any)
	b, _ := got.([]any)
	if len(a) != len(b) || a == nil {
		return fmt.Sprintf("%d parts, want %d", len(b), len(a))
	}
	for i := range a {
		if d := apart(a[i], b[i]); d != "" {
			return d
		}
	}
	return ""
}

// download is a layer as the administrator has it.
func (s *server) download(t *testing.T, l *layer.Layer, query string) []byte {
	t.Helper()
	a := s.call(t, http.MethodGet, "/api/v1/collections/"+l.Name+"/download?"+query, "", bearer(s.key)...)
	a.wants(t, http.StatusOK)
	return a.body
}
