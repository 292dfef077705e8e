package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// documentHTML is the page of a document, made of its JSON: it shows what programs get,
// nothing else.
func (a *api) documentHTML(r *request, data string, document []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var doc map[string]any
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("read the document for its page: %w", err)
	}
	v := a.pageOf(r)
	v.Doc, v.Alternates = doc, a.alternates(r, data)
	if r.page == "collection" || r.page == documentPage {
		var err error
		if v.Map, err = a.tilesMap(r, v); err != nil {
			return nil, err
		}
	}
	return v.render(r.page)
}

// walk goes down members of objects; nil where the way ends early.
func walk(v any, names ...string) any {
	for _, name := range names {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}

// Find returns the address of the first link of a relation in a document, for templates;
// "" where there is none.
func (v *view) Find(doc any, rel string) string {
	links, _ := walk(doc, "links").([]any)
	for _, l := range links {
		if object, _ := l.(map[string]any); object["rel"] == rel {
			href, _ := object["href"].(string)
			return v.Local(href)
		}
	}
	return ""
}

// Links returns the links of a relation in a document, for templates.
func (v *view) Links(doc any, rel string) (found []link) {
	links, _ := walk(doc, "links").([]any)
	for _, l := range links {
		if object, _ := l.(map[string]any); object["rel"] == rel {
			href, _ := object["href"].(string)
			title, _ := object["title"].(string)
			found = append(found, link{Href: v.Bare(href), Title: title})
		}
	}
	return found
}

// Property is one property of a schema.
type Property struct {
	Name   string
	Schema map[string]any
	Must   bool
}

// Properties are those of a schema in their order, for templates.
func (v *view) Properties() []Property {
	properties, _ := walk(v.Doc, "properties").(map[string]any)
	required, _ := walk(v.Doc, "required").([]any)
	var list []Property
	for name, schema := range properties {
		object, _ := schema.(map[string]any)
		list = append(list, Property{name, object, slices.Contains(required, any(name))})
	}
	slices.SortFunc(list, func(a, b Property) int {
		if order := sequence(a) - sequence(b); order != 0 {
			return order
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list
}

// sequence is where a property stands; those that do not say come first.
func sequence(p Property) int {
	n, ok := p.Schema["x-ogc-propertySeq"].(json.Number)
	if !ok {
		return 0
	}
	i, err := n.Int64()
	if err != nil {
		return 0
	}
	return int(i)
}

// node is a JSON value as a page shows it: one of its members is set, or it is empty.
type node struct {
	Text    string
	Href    string // of a text that is an address of ours
	Members []member
	Items   []node   // of a list
	Columns []string // of a list of objects that is shown as a table
	Rows    [][]node
}

// Blocks reports whether the items of a list are no plain words.
func (n node) Blocks() bool {
	return slices.ContainsFunc(n.Items, func(item node) bool { return item.Members != nil || item.Items != nil || item.Rows != nil })
}

type member struct {
	Name  string
	Value node
}

// Tree is a JSON value made ready to be shown, for templates.
func (v *view) Tree(value any) node {
	switch x := value.(type) {
	case map[string]any:
		var n node
		for _, name := range slices.Sorted(maps.Keys(x)) {
			n.Members = append(n.Members, member{name, v.Tree(x[name])})
		}
		return n
	case []any:
		if columns := tableColumns(x); columns != nil {
			return v.table(x, columns)
		}
		var n node
		for _, item := range x {
			n.Items = append(n.Items, v.Tree(item))
		}
		return n
	case nil:
		return node{}
	}
	n := node{Text: fmt.Sprint(value)}
	if v.base != "" && strings.HasPrefix(n.Text, v.base+"/") && !strings.Contains(n.Text, "{") {
		n.Href = v.Local(n.Text)
	}
	return n
}

func (v *view) table(list []any, columns []string) node {
	n := node{Columns: columns}
	for _, item := range list {
		row := make([]node, len(columns))
		for i, name := range columns {
			row[i] = v.Tree(walk(item, name))
		}
		n.Rows = append(n.Rows, row)
	}
	return n
}

// tableColumns are the members of a list of flat objects; nil for any other list.
func tableColumns(list []any) []string {
	names := map[string]bool{}
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return nil
		}
		for name, value := range object {
			if !isFlat(value) {
				return nil
			}
			names[name] = true
		}
	}
	if len(names) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(names))
}

// isFlat reports whether a value fits into a cell: a scalar, or some of them.
func isFlat(value any) bool {
	switch x := value.(type) {
	case map[string]any:
		return false
	case []any:
		return len(x) <= 4 && !slices.ContainsFunc(x, func(item any) bool {
			_, list := item.([]any)
			return list || !isFlat(item)
		})
	}
	return true
}

// writeProblem answers with the problem of err: a page for those who ask for pages, and
// application/problem+json for all others. Status, texts and headers are the same.
func (a *api) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	w.Header()["Content-Security-Policy"] = noContent
	offers := []string{typeProblem, typeJSON, typeGeoJSON, typeHTML}
	if asksForPage(r, offers) {
		document := describeProblem(w, r, err)
		v := a.view(r)
		v.Doc, v.Title = document, document.Title
		body, failed := v.render("problem")
		if failed == nil {
			w.Header()["Content-Security-Policy"] = ofPages
			sendProblem(w, typePage, document.Status, body)
			return
		}
		a.Log.ErrorContext(r.Context(), "no page for a problem", "cause", failed)
	}
	writeProblem(w, r, err)
}
