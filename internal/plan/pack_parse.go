package plan

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"hatang/internal/layer"
	"hatang/internal/permit"
)

//go:embed packs/dien-bien
var embedded embed.FS

// DienBien returns the embedded demonstration pack of Điện Biên.
func DienBien() (fs.FS, error) { return fs.Sub(embedded, "packs/dien-bien") }

// Parse reads the pack in the root of fsys. It is strict: an unknown field, a text
// missing in one language, dates out of order, a repeated id, a reference to
// nothing, a table with a short row, money that does not add up or a file for no
// layer refuses the pack with a *layer.InvalidError that holds all faults, each at
// its JSON pointer or file name. A file that cannot be read is an error of its own.
func Parse(fsys fs.FS) (*Pack, error) {
	body, err := fs.ReadFile(fsys, "pack.json")
	if err != nil {
		return nil, fmt.Errorf("read plan pack: %w", err)
	}
	rules, err := fs.ReadFile(fsys, "rules.json")
	if err != nil {
		return nil, fmt.Errorf("read plan pack: %w", err)
	}
	var faults layer.Faults
	p := newPack()
	if !decode(body, p, &faults) {
		return nil, faults.Err()
	}
	p.rules = rules
	if !json.Valid(rules) {
		faults.Add("rules.json", "không phải JSON hợp lệ", "is not valid JSON")
	}
	p.check(&faults)
	if p.features, err = layerFiles(fsys, &faults); err != nil {
		return nil, err
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// decode reads body into p and reports whether it could. An unknown field is a
// fault, but the rest is still read, so that its faults are reported too.
func decode(body []byte, p *Pack, faults *layer.Faults) bool {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(p)
	if err != nil {
		faults.Add("pack.json", "%v", "%v", err)
		*p = *newPack()
		return json.Unmarshal(body, p) == nil
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		faults.Add("pack.json", "còn dữ liệu sau tài liệu", "there is data after the document")
	}
	return true
}

// layerFiles lists features/*.geojson in load order. A pack without features is
// one of figures and rules alone.
func layerFiles(fsys fs.FS, faults *layer.Faults) ([]LayerFile, error) {
	entries, err := fs.ReadDir(fsys, "features")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list features of plan pack: %w", err)
	}
	order, err := loadOrder()
	if err != nil {
		return nil, err
	}
	var files []LayerFile
	for _, e := range entries {
		name, isGeoJSON := strings.CutSuffix(e.Name(), ".geojson")
		if !isGeoJSON || !slices.Contains(order, name) {
			faults.Add(path.Join("features", e.Name()), "không phải tệp GeoJSON của một lớp", "is not the GeoJSON file of a layer")
			continue
		}
		file := path.Join("features", e.Name())
		files = append(files, LayerFile{Layer: name, Open: func() (fs.File, error) { return fsys.Open(file) }})
	}
	slices.SortFunc(files, func(a, b LayerFile) int {
		return slices.Index(order, a.Layer) - slices.Index(order, b.Layer)
	})
	return files, nil
}

// loadOrder lists all layers, units first, because other rows refer to them.
func loadOrder() ([]string, error) {
	registry, err := layer.Layers()
	if err != nil {
		return nil, fmt.Errorf("layers of plan pack: %w", err)
	}
	order := []string{"provinces", "districts", "communes"}
	for _, l := range registry.All() {
		if !slices.Contains(order, l.Name) {
			order = append(order, l.Name)
		}
	}
	return order, nil
}

// newPack is a pack that says nothing yet.
func newPack() *Pack { return &Pack{Calendar: permit.Calendar{Periods: permit.DefaultPeriods()}} }
