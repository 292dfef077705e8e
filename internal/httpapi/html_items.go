package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hatang/internal/layer"
)

// itemsView is what the page of items shows.
type itemsView struct {
	Name, Doc         string // of the layer
	Date              string // on which the features are in force, "" where an interval was asked
	Form              itemsForm
	Columns           []itemColumn // the fields of which a feature has a value
	Rows              []itemRow
	Matched, Returned int64
	Counted           bool   // Matched is known
	First, Next       string // addresses of pages, "" for none
}

// itemColumn is a column of the table.
type itemColumn struct {
	Title string
	Href  string // of the page in the order of the column, "" where there is none
	Sort  string // the order it is in now, as aria-sort has it; "" for another
}

// itemRow is a feature in the table.
type itemRow struct {
	ID    int64
	Href  string
	Cells []cell
}

// itemsForm is the form that selects features, as it was sent.
type itemsForm struct {
	Action                        string
	BBox, Datetime, Limit, Filter string
	Other                         []hidden // parameters that the form keeps
	Faults                        map[string][]string
	OtherFaults                   []string // of parameters that have no field in the form
	Most                          int      // features on a page
}

// hidden is a parameter that goes along with the form.
type hidden struct{ Name, Value string }

// formFields are the parameters that the form has fields for.
var formFields = []string{"bbox", "datetime", "limit", "filter"}

// withoutEmpty is a query without the fields of the form that were left empty, which
// browsers send all the same.
func withoutEmpty(raw string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(raw, "&"), func(pair string) bool {
		name, value, _ := strings.Cut(pair, "=")
		return value == "" && slices.Contains(formFields, name)
	}), "&")
}

// writeHTML sends the page as HTML: its table, and a map that reads the same features.
func (g *page) writeHTML() error {
	v, shown := g.api.itemsPage(g.r, g.p)
	fields := g.p.sheet.Layer.Properties()
	used := make([]bool, len(fields))
	err := g.read(func(row *layer.Row) error {
		if len(fields) != len(row.Values) {
			return fmt.Errorf("row %d of %s has %d values for %d fields", row.ID, g.r.layer.Name, len(row.Values), len(fields))
		}
		r := itemRow{ID: row.ID, Href: v.Local(atKnown(fmt.Sprintf("%s/%d", shown.Form.Action, row.ID), g.p.values)), Cells: make([]cell, len(fields))}
		for i := range fields {
			value, err := fields[i].Kind.AppendJSON(nil, row.Values[i])
			if err != nil {
				return fmt.Errorf("row %d of %s, %s: %w", row.ID, g.r.layer.Name, fields[i].Name, err)
			}
			if r.Cells[i], err = showValue(&fields[i], value, v.Language); err != nil {
				return err
			}
			used[i] = used[i] || r.Cells[i].Text != ""
		}
		shown.Rows = append(shown.Rows, r)
		return nil
	})
	if err != nil {
		return err
	}
	shown.keep(g, fields, used, v)
	shown.Returned = int64(g.returned)
	if shown.Matched, shown.Counted, err = g.matched(); err != nil {
		return err
	}
	for _, l := range g.links() {
		switch l.Rel {
		case "next":
			shown.Next = v.Local(l.Href)
		case "alternate":
			v.Alternates = append(v.Alternates, l)
		}
	}
	v.Map = g.api.mapOf(v, []*layer.Layer{g.r.layer})
	v.Map.Items = g.dataHref(v)
	body, err := v.render("items")
	if err != nil {
		return err
	}
	g.out.w.Header().Set("Content-Language", v.Language)
	send(g.out.w, g.r, typePage, body)
	return nil
}

// atKnown is an address without a query, of the same time past as the values ask for, if any.
func atKnown(address string, values url.Values) string {
	if !values.Has(knownAtName) {
		return address
	}
	return address + "?" + url.Values{knownAtName: {values.Get(knownAtName)}}.Encode()
}

// dataHref is where the map reads the features of the page.
func (g *page) dataHref(v *view) string {
	q := maps.Clone(g.p.values)
	if q == nil {
		q = url.Values{}
	}
	q.Del("crs")
	q.Set("f", "json")
	q.Set("limit", strconv.Itoa(g.p.query.Limit))
	return v.Local(g.api.href(g.r, "/collections/"+g.r.layer.Name+"/items", q))
}

// keep leaves the columns that are used, with links that turn their order.
func (s *itemsView) keep(g *page, fields []layer.Field, used []bool, v *view) {
	sortable := g.r.layer.Sortables()
	for i := range fields {
		if !used[i] {
			continue
		}
		c := itemColumn{Title: fieldTitle(&fields[i], v.Language)}
		if name := fields[i].Name; slices.ContainsFunc(sortable, func(f layer.Field) bool { return f.Name == name }) {
			order := name
			switch strings.TrimPrefix(g.p.values.Get("sortby"), "+") {
			case name:
				c.Sort, order = "ascending", "-"+name
			case "-" + name:
				c.Sort = "descending"
			}
			q := g.with("sortby", order)
			q.Del("after")
			c.Href = v.Local(g.api.href(g.r, "/collections/"+g.r.layer.Name+"/items", q))
		}
		s.Columns = append(s.Columns, c)
	}
	for n := range s.Rows {
		kept := s.Rows[n].Cells[:0]
		for i, c := range s.Rows[n].Cells {
			if used[i] {
				kept = append(kept, c)
			}
		}
		s.Rows[n].Cells = kept
	}
}

// itemsPage begins the page of items with its form.
func (a *api) itemsPage(r *request, p listing) (*view, *itemsView) {
	v := a.pageOf(r)
	v.Title = r.layer.Title.In(v.Language)
	action := root + "/collections/" + r.layer.Name + "/items"
	shown := &itemsView{
		Name: r.layer.Name, Doc: r.layer.Doc.In(v.Language),
		Form: itemsForm{
			Action: action, BBox: p.values.Get("bbox"), Datetime: p.values.Get("datetime"), Limit: p.values.Get("limit"), Filter: p.values.Get("filter"),
			Faults: map[string][]string{}, Most: maxHTMLPage,
		},
	}
	if !p.query.Date.IsZero() {
		shown.Date = localDate(p.query.Date.String(), v.Language)
	}
	further := url.Values{}
	for name, values := range p.values {
		if name != "after" && !slices.Contains(formFields, name) && len(values) > 0 {
			further[name] = values
		}
	}
	for _, name := range slices.Sorted(maps.Keys(further)) {
		shown.Form.Other = append(shown.Form.Other, hidden{name, further.Get(name)})
	}
	if p.values.Has("after") {
		first := maps.Clone(p.values)
		first.Del("after")
		shown.First = v.Local(a.href(r, "/collections/"+r.layer.Name+"/items", first))
	}
	v.Doc = shown
	return v, shown
}

// refuseItems answers 400 with the form as it was sent and what is wrong with it.
func (a *api) refuseItems(w http.ResponseWriter, r *request, p listing, faults layer.Faults) error {
	v, shown := a.itemsPage(r, p)
	for _, f := range faults {
		text := f.Detail.In(v.Language)
		shown.Form.Other = slices.DeleteFunc(shown.Form.Other, func(h hidden) bool { return h.Name == f.At })
		if slices.Contains(formFields, f.At) {
			shown.Form.Faults[f.At] = append(shown.Form.Faults[f.At], text)
		} else {
			shown.Form.OtherFaults = append(shown.Form.OtherFaults, f.At+": "+text)
		}
	}
	describeProblem(w, r.Request, faultsProblem(invalidParameter, faults))
	body, err := v.render("items")
	if err != nil {
		return err
	}
	sendProblem(w, typePage, http.StatusBadRequest, body)
	return nil
}

// itemView is what the page of a feature shows.
type itemView struct {
	ID         int64
	Collection string // its address
	Properties []itemProperty
	Geometry   string
	Place      []string // the coordinates of a point, in the order of the reference system
	Versions   []link
}

// itemProperty is a property of a feature.
type itemProperty struct {
	Name, Title, Doc string
	Value            cell
}

// answerItemHTML sends the page of a feature, made of its GeoJSON and its links.
func (a *api) answerItemHTML(w http.ResponseWriter, r *request, feature []byte, links []link) error {
	var f struct {
		ID       int64
		Geometry struct {
			Type        string
			Coordinates json.RawMessage
		}
		Properties map[string]json.RawMessage
	}
	if err := json.Unmarshal(feature, &f); err != nil {
		return fmt.Errorf("read the feature for its page: %w", err)
	}
	v := a.pageOf(r)
	shown := itemView{ID: f.ID, Collection: v.Local(root + "/collections/" + r.layer.Name), Geometry: f.Geometry.Type}
	for _, field := range r.layer.Properties() {
		sent, ok := f.Properties[field.Name]
		if !ok {
			continue // not among those that were asked for
		}
		value, err := showValue(&field, sent, v.Language)
		if err != nil {
			return err
		}
		shown.Properties = append(shown.Properties, itemProperty{field.Name, fieldTitle(&field, v.Language), field.Doc.In(v.Language), value})
		if (field.Name == "code" || field.Name == "name") && value.Text != "" { // the name, which comes last, where there is one
			v.Title = value.Text
		}
	}
	if f.Geometry.Type == "Point" {
		var at []json.Number
		if err := json.Unmarshal(f.Geometry.Coordinates, &at); err != nil {
			return fmt.Errorf("read the place of the feature: %w", err)
		}
		for _, x := range at {
			shown.Place = append(shown.Place, localNumber(x.String(), v.Language))
		}
	}
	for _, l := range links {
		if _, ok := pageTexts["rel."+l.Rel]; ok && !strings.HasSuffix(l.Href, "/"+strconv.FormatInt(f.ID, 10)) {
			shown.Versions = append(shown.Versions, link{Href: v.Local(l.Href), Rel: l.Rel, Title: l.Title})
		}
	}
	v.Alternates = a.alternates(r, typeGeoJSON)
	v.Map = a.mapOf(v, []*layer.Layer{r.layer})
	v.Map.Items = v.Local(withParameter(atKnown(root+"/collections/"+r.layer.Name+"/items/"+strconv.FormatInt(f.ID, 10), r.values), "f", "json"))
	v.Doc = shown
	body, err := v.render("item")
	if err != nil {
		return err
	}
	return a.answerBytes(w, r, typePage, body)
}
