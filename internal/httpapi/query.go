package httpapi

import (
	"errors"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// defaultPage is the features of a page whose request names no limit.
const defaultPage = 1000

// listing is what a request for items asks.
type listing struct {
	values  url.Values
	query   layer.Query // Limit is the page's
	crs     geo.CRS
	format  formats.Format
	sheet   formats.Sheet
	nowhere bool // no feature can match: the bbox lies where there is nothing, or a value is none the field may have
	hits    bool // only their number is asked for
}

// itemsNames are itemsParameters, which nobody changes.
var itemsNames = []string{"bbox", "bbox-crs", "crs", "datetime", "filter", "filter-lang", "filter-crs", "properties", "skipGeometry", "sortby",
	"resultType", "limit", "after", "decimals", "bom", "f", "lang", knownAtName}

// itemsParameters are the parameters of items beside the layer's own fields.
func itemsParameters() []string { return itemsNames }

// paging are those of them that select no features: they say how those selected are
// shown, and which of them.
var paging = []string{"crs", "properties", "skipGeometry", "sortby", "resultType", "limit", "after", "decimals", "bom", "f", "lang"}

// parseListing reads what a query with parameters of these names, and the layer's
// fields, selects, and returns every fault it has. Without a datetime the rows in force
// on the reference date are asked for.
func parseListing(raw string, l *layer.Layer, reference geo.Date, names []string) (listing, layer.Faults) {
	var faults layer.Faults
	known := func(name string) bool { return slices.Contains(names, name) || isQueryable(l, name) }
	all := func() []string { return append(slices.Clone(names), l.QueryableNames()...) }
	p := listing{values: readKnown(raw, known, all, &faults), query: layer.Query{Date: reference, Limit: defaultPage}}
	checkLanguage(p.values, &faults)
	p.crs = parseCRS(p.values, "crs", &faults)
	boxCRS := parseCRS(p.values, "bbox-crs", &faults)
	var within area
	if p.values.Has("bbox") {
		before := len(faults)
		within = parseBBox(p.values.Get("bbox"), boxCRS, &faults)
		p.query.Boxes = within.boxes
		p.nowhere = len(p.query.Boxes) == 0 && len(faults) == before
	} else if p.values.Has("bbox-crs") {
		faults.Add("bbox-crs", "bbox-crs chỉ đi cùng bbox", "bbox-crs goes with bbox only")
	}
	p.readProperties(l, &faults)
	p.readSort(l, &faults)
	p.readLimit(&faults)
	p.readAfter(&faults)
	p.readResultType(&faults)
	p.readDatetime(&faults)
	var err error
	if p.query.Filter, err = outlined(parseFilter(p.values, l, &faults), within.outlines, l); err != nil {
		faults.AddError("bbox", err)
	}
	p.readEqualities(l, &faults)
	return p, faults
}

// The features of a page of HTML: fewer than in data, because people read them.
const (
	defaultHTMLPage = 50
	maxHTMLPage     = 1000
)

// limitPage sets how many features a page of HTML shows.
func (p *listing) limitPage() {
	if !p.values.Has("limit") {
		p.query.Limit = defaultHTMLPage
	}
	p.query.Limit = min(p.query.Limit, maxHTMLPage)
}

func (p *listing) readDatetime(faults *layer.Faults) {
	if !p.values.Has("datetime") {
		return
	}
	var err error
	if p.query.Date, p.query.Span, err = parseDatetime(p.values.Get("datetime")); err != nil {
		faults.Add("datetime", "datetime phải là ngày, thời điểm RFC 3339 hoặc khoảng như 2016-01-01/.., đầu không sau cuối",
			"datetime must be a date, an RFC 3339 instant or an interval such as 2016-01-01/.., its start not after its end")
	}
}

func parseCRS(values url.Values, name string, faults *layer.Faults) geo.CRS {
	if !values.Has(name) {
		return geo.CRS{}
	}
	crs, err := geo.ParseCRS(values.Get(name))
	if err != nil {
		faults.Add(name, "không có hệ tọa độ %q; các hệ có ở mục crs của lớp", "there is no reference system %q; the collection's crs lists them", clip(values.Get(name)))
	}
	return crs
}

// readLimit takes 1 and more; what is over the largest page is cut to it, as OGC has it.
func (p *listing) readLimit(faults *layer.Faults) {
	if !p.values.Has("limit") {
		return
	}
	raw := strings.TrimPrefix(strings.TrimSpace(p.values.Get("limit")), "+")
	n, err := strconv.ParseUint(raw, 10, 64)
	if errors.Is(err, strconv.ErrSyntax) || err == nil && n == 0 {
		faults.Add("limit", "limit phải là số nguyên từ 1 đến %d", "limit must be an integer from 1 to %d", layer.MaxPage)
		return
	}
	if err != nil || n > layer.MaxPage {
		n = layer.MaxPage
	}
	p.query.Limit = int(n)
}

func (p *listing) readResultType(faults *layer.Faults) {
	switch p.values.Get("resultType") {
	case "hits":
		p.hits = true
	case "", "results":
	default:
		faults.Add("resultType", "resultType phải là hits hoặc results", "resultType must be hits or results")
	}
}

// readEqualities takes any value of a field's type. One that the field may not
// have (outside its list or bounds) selects nothing, which is no error: clients
// push filters down without knowing the lists.
func (p *listing) readEqualities(l *layer.Layer, faults *layer.Faults) {
	others := itemsParameters()
	asked := make([]string, 0, 4)
	for name := range p.values {
		if isQueryable(l, name) && !slices.Contains(others, name) {
			asked = append(asked, name)
		}
	}
	slices.Sort(asked) // a map has no order, and the same request has the same statement
	for _, name := range asked {
		f, _ := l.Queryable(name)
		value, ok := canonical(f.Kind, p.values.Get(f.Name))
		if !ok {
			faults.Add(f.Name, "%s: %q không phải giá trị kiểu %s", "%s: %q is not a value of type %s", f.Name, clip(p.values.Get(f.Name)), f.Kind)
			continue
		}
		if _, err := f.ParseText(value); err != nil {
			p.nowhere = true
		}
		p.query.Equal = append(p.query.Equal, layer.Equality{Field: f.Name, Value: value})
	}
}

// isQueryable reports whether a field, or the id, has the name in the register.
func isQueryable(l *layer.Layer, name string) bool { return name == layer.IDName || l.Has(name) }

// canonical returns the one text form of a value of a kind; false when it is none.
func canonical(kind layer.Kind, s string) (string, bool) {
	switch kind {
	case layer.Integer:
		n, err := strconv.ParseInt(s, 10, 64)
		return strconv.FormatInt(n, 10), err == nil
	case layer.Number:
		x, err := strconv.ParseFloat(s, 64)
		return strconv.FormatFloat(x, 'g', -1, 64), err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
	case layer.Boolean:
		switch s {
		case "1": // as GDAL writes them
			s = "true"
		case "0":
			s = "false"
		}
		return s, s == "true" || s == "false"
	case layer.Date:
		d, err := geo.ParseDate(s)
		return d.String(), err == nil
	case layer.Timestamp:
		t, err := time.Parse(time.RFC3339, strings.Replace(s, " ", "+", 1))
		return t.UTC().Format(time.RFC3339Nano), err == nil
	default:
		return norm.NFC.String(s), plainText(s)
	}
}

// plainText reports whether PostgreSQL's text can hold s: UTF-8 without NUL.
func plainText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
