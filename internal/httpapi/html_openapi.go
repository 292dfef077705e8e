package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// operationGroup are the operations of a tag, as the page about the API lists them.
type operationGroup struct {
	Tag        string
	Operations []operationView
}

type operationView struct {
	ID, Method, Path     string
	Summary, Description string
	Parameters           []parameterView
	Body                 []string // media types that are read
	Answers              []answerView
}

type parameterView struct {
	Name, In, Type, Default, Description string
	Required                             bool
}

type answerView struct {
	Status, Description string
	Types               []string
}

// methodOrder is the order in which the methods of a path are listed.
var methodOrder = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// groupOperations lists the operations of a document by tag, with collections as a
// parameter of paths as the document is written.
func groupOperations(doc *openapi3.T) []operationGroup {
	groups := make([]operationGroup, len(doc.Tags))
	for i, t := range doc.Tags {
		groups[i].Tag = t.Name
	}
	for _, path := range doc.Paths.Keys() {
		item := doc.Paths.Value(path)
		prefix := root
		if len(item.Servers) > 0 {
			prefix = strings.TrimSuffix(item.Servers[0].URL, "/")
		}
		for _, method := range methodOrder {
			operation := item.GetOperation(method)
			if operation == nil || len(operation.Tags) == 0 {
				continue
			}
			i := slices.IndexFunc(groups, func(g operationGroup) bool { return g.Tag == operation.Tags[0] })
			if i < 0 {
				continue // of a tag that the document does not declare
			}
			o := viewOperation(operation, item.Parameters)
			o.Method, o.Path = method, strings.TrimSuffix(prefix+path, "/")
			groups[i].Operations = append(groups[i].Operations, o)
		}
	}
	return groups
}

func viewOperation(operation *openapi3.Operation, shared openapi3.Parameters) operationView {
	o := operationView{ID: operation.OperationID, Summary: operation.Summary, Description: operation.Description}
	for _, p := range append(slices.Clone(shared), operation.Parameters...) {
		o.Parameters = append(o.Parameters, viewParameter(p.Value))
	}
	if operation.RequestBody != nil {
		o.Body = slices.Sorted(maps.Keys(operation.RequestBody.Value.Content))
	}
	answers := operation.Responses.Map()
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		answer := answerView{Status: status, Types: slices.Sorted(maps.Keys(answers[status].Value.Content))}
		if d := answers[status].Value.Description; d != nil {
			answer.Description = *d
		}
		o.Answers = append(o.Answers, answer)
	}
	return o
}

func viewParameter(p *openapi3.Parameter) parameterView {
	view := parameterView{Name: p.Name, In: p.In, Description: p.Description, Required: p.Required}
	if p.Schema == nil || p.Schema.Value == nil {
		return view
	}
	schema := p.Schema.Value
	view.Type = strings.Join(schema.Type.Slice(), ", ")
	if schema.Format != "" {
		view.Type += " (" + schema.Format + ")"
	}
	if len(schema.Enum) > 0 {
		var words []string
		for _, word := range schema.Enum {
			words = append(words, fmt.Sprint(word))
		}
		view.Type = strings.Join(words, " | ")
	}
	if schema.Default != nil {
		view.Default = fmt.Sprint(schema.Default)
	}
	return view
}

// openapiHTML is the OpenAPI document for people to read.
func (a *api) openapiHTML(w http.ResponseWriter, r *request) error {
	docs, err := openapiDocuments.of(&a.Config, r.layers.All())
	if err != nil {
		return err
	}
	v := a.pageOf(r)
	v.Doc = docs.groups
	v.Alternates = []link{
		{Href: a.href(r, "/openapi.json", nil), Rel: "alternate", Type: typeOpenAPI30, Title: "OpenAPI 3.0"},
		{Href: a.href(r, "/openapi-3.1.json", nil), Rel: "alternate", Type: typeOpenAPI31, Title: "OpenAPI 3.1"},
	}
	body, err := v.render("openapi")
	if err != nil {
		return err
	}
	return a.answerBytes(w, r, typePage, body)
}
