package httpapi

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// contentCRSs are the values of Content-Crs by EPSG code. They are shared: nobody changes
// or appends to them in place.
var contentCRSs = sync.OnceValue(func() map[int][]string {
	all := map[int][]string{}
	for _, crs := range geo.CRSs() {
		all[crs.Code()] = []string{"<" + crs.URI() + ">"}
	}
	return all
})

// contentCRSOf is the value of Content-Crs for a reference system.
func contentCRSOf(crs geo.CRS) []string { return contentCRSs()[crs.Code()] }

// featureTypesOut are the media types that features are served in.
var featureTypesOut = sync.OnceValue(func() []string {
	types := []string{typeGeoJSON, typeJSON}
	for _, f := range formats.All() {
		if !slices.Contains(types, f.MediaType) {
			types = append(types, f.MediaType)
		}
	}
	return types
})

// formatNames are the values of f= that some formats have.
func formatNames(of []formats.Format) (names []string) {
	for _, f := range of {
		names = append(names, f.Names...)
	}
	return names
}

// contentType is a format's media type as answers carry it.
func contentType(f *formats.Format) string {
	if f.MediaType == typeCSV {
		return typeCSV + "; charset=utf-8; header=present"
	}
	return f.MediaType
}

// readOutput reads in what form the rows are wanted: the format by f, else by Accept.
func (p *listing) readOutput(r *request, faults *layer.Faults) {
	named := true
	switch {
	case r.html: // whose map reads GeoJSON
		p.format = formats.All()[0]
	case p.values.Has("f"):
		p.format, named = formats.Named(p.values.Get("f"))
	default:
		p.format = negotiated(r.Header.Get("Accept"))
	}
	known := func() string {
		names := formatNames(formats.Of(r.layer))
		if r.pages {
			names = append(names, "html")
		}
		return strings.Join(names, ", ")
	}
	if !named {
		faults.Add("f", "f phải là một trong: %s", "f must be one of: %s", known())
	} else if !p.format.Takes(r.layer) {
		faults.Add("f", "%s chỉ dành cho lớp %s; với lớp này f phải là một trong: %s", "%s is for the layer %s alone; of this one f must be one of: %s",
			p.format.Title, strings.Join(p.format.Layers, ", "), known())
	}
	r.layer = readIn(r.layer, p.crs)
	p.sheet = formats.Sheet{Layer: r.layer.Narrowed(p.query.Fields), CRS: p.crs, Language: r.language()}
	if p.format.LonLatOnly && p.crs.Code() != 0 {
		faults.Add("crs", "%s chỉ có hệ toạ độ CRS84; hãy bỏ crs", "%s has no other reference system than CRS84; leave crs out", p.format.Title)
	}
	p.readDecimals(faults)
	if !p.values.Has("bom") {
		return
	}
	bom := p.values.Get("bom")
	if p.sheet.BOM = bom == "true"; bom != "true" && bom != "false" {
		faults.Add("bom", "bom phải là true hoặc false", "bom must be true or false")
	}
	if named && p.format.MediaType != typeCSV {
		faults.Add("bom", "bom chỉ đi cùng f=csv", "bom goes with f=csv only")
	}
}

// negotiated is the format that an Accept header likes best; GeoJSON for none, and where
// it names only what JSON is.
func negotiated(accept string) formats.Format {
	all := formats.All()
	if accept == "" || accept == "*/*" {
		return all[0]
	}
	best := preferred(accept, featureTypesOut())
	if best == typeJSON { // other formats of this type are had by their names
		return all[0]
	}
	if i := slices.IndexFunc(all, func(f formats.Format) bool { return f.MediaType == best }); i >= 0 {
		return all[i]
	}
	return all[0]
}

func (p *listing) readDecimals(faults *layer.Faults) {
	if !p.values.Has("decimals") {
		return
	}
	n, err := strconv.ParseUint(p.values.Get("decimals"), 10, 8)
	switch {
	case err != nil || n > formats.MaxDecimals:
		faults.Add("decimals", "decimals phải là số nguyên từ 0 đến %d", "decimals must be an integer from 0 to %d", formats.MaxDecimals)
	case n == 0:
		p.sheet.Decimals = formats.NoDecimals
	default:
		p.sheet.Decimals = int(n)
	}
}
