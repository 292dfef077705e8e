package httpapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	contract "hatang/api"
	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// documents are the OpenAPI document as served, JSON, and what the page about it shows.
type documents struct {
	v30, v31 []byte
	groups   []operationGroup
}

// openapiDocuments remembers the documents of the sets of layers asked for last: one for each
// kind of viewer who knows of other layers. They are made of nothing that a server keeps, so
// all servers of the process share them.
var openapiDocuments openapiCache

// openapiCache is safe for concurrent use; the zero value is empty.
type openapiCache struct {
	mu   sync.Mutex
	made []*madeDocuments // the last used ones last
}

type madeDocuments struct {
	layers  []*layer.Layer
	title   geo.Text
	version string
	make    func() (documents, error)
}

// mostDocuments bounds the cache.
const mostDocuments = 8

// of returns the documents of layers, which are made once for all layers that are alike.
func (o *openapiCache) of(c *Config, layers []*layer.Layer) (documents, error) {
	o.mu.Lock()
	i := slices.IndexFunc(o.made, func(m *madeDocuments) bool {
		return m.title == c.Title && m.version == c.Version && reflect.DeepEqual(m.layers, layers)
	})
	var found *madeDocuments
	if i >= 0 {
		found = o.made[i]
		o.made = slices.Delete(o.made, i, i+1)
		found.layers = layers // the next look is one at pointers
	} else {
		found = &madeDocuments{layers, c.Title, c.Version, sync.OnceValues(func() (documents, error) { return completeOpenAPI(layers, c.Title, c.Version) })}
	}
	o.made = append(o.made, found)
	o.made = slices.Delete(o.made, 0, max(0, len(o.made)-mostDocuments))
	o.mu.Unlock()
	docs, err := found.make()
	if err != nil {
		return docs, fmt.Errorf("complete the OpenAPI document: %w", err)
	}
	return docs, nil
}

// collectionPrefix begins the paths that exist once for every layer.
const collectionPrefix = "/collections/{collectionId}"

// tilesOperation begins the ids of operations on a collection's tiles, which OGC API -
// Tiles wants at the end of the id.
const tilesOperation = "collection.vector."

// completeOpenAPI puts concrete paths, one set for each layer, where the document
// at hand has {collectionId}: clients look for the filters of a layer under its
// own path, with the parameters written out.
func completeOpenAPI(layers []*layer.Layer, title geo.Text, version string) (documents, error) {
	doc, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		return documents{}, fmt.Errorf("read openapi.yaml: %w", err)
	}
	if title.EN != "" {
		doc.Info.Title = title.EN
	}
	if version != "" {
		doc.Info.Version = version
	}
	nameFormats(doc, layers)
	groups := groupOperations(doc)
	for _, path := range doc.Paths.Keys() {
		if !strings.HasPrefix(path, collectionPrefix) {
			continue
		}
		for _, l := range layers {
			item, err := concrete(doc.Paths.Value(path), l, takesFields(path))
			if err != nil {
				return documents{}, fmt.Errorf("%s for %s: %w", path, l.Name, err)
			}
			doc.Paths.Set("/collections/"+l.Name+strings.TrimPrefix(path, collectionPrefix), item)
		}
		doc.Paths.Delete(path)
	}
	delete(doc.Components.Parameters, "collectionId")
	v30, err := doc.MarshalJSON()
	if err != nil {
		return documents{}, fmt.Errorf("encode: %w", err)
	}
	v31, err := openapiOf31(v30)
	if err != nil {
		return documents{}, err
	}
	return documents{v30: v30, v31: v31, groups: groups}, nil
}

// takesFields reports whether a path below a collection takes the layer's fields as
// parameters: it shows features, or leads to tiles that do.
func takesFields(path string) bool {
	return strings.HasSuffix(path, "/items") || strings.HasSuffix(path, "/download") || strings.HasPrefix(path, collectionPrefix+"/tiles")
}

// formatParameter is the component that says which formats features have.
const formatParameter = "featureFormat"

// ofOneLayer finds a format that not all layers have, but this one.
func ofOneLayer(l *layer.Layer) bool {
	return slices.ContainsFunc(formats.All(), func(f formats.Format) bool { return f.Layers != nil && f.Takes(l) })
}

// nameFormats lists the formats of features where the document speaks of them; layers that
// have others than most get a parameter of their own.
func nameFormats(doc *openapi3.T, layers []*layer.Layer) {
	common := doc.Components.Parameters[formatParameter].Value
	with := func(of []formats.Format) *openapi3.ParameterRef {
		parameter, schema := *common, *common.Schema.Value
		for _, name := range append(formatNames(of), "html") {
			schema.Enum = append(schema.Enum, name)
		}
		parameter.Schema = openapi3.NewSchemaRef("", &schema)
		return &openapi3.ParameterRef{Value: &parameter}
	}
	for _, l := range layers {
		if ofOneLayer(l) {
			doc.Components.Parameters[formatParameter+"."+l.Name] = with(formats.Of(l))
		}
	}
	doc.Components.Parameters[formatParameter] = with(formats.Of(&layer.Layer{}))
	for _, f := range formats.All() {
		if f.MediaType == typeGeoJSON {
			continue
		}
		schema := openapi3.NewStringSchema()
		switch {
		case f.MediaType == typeJSON:
			schema = openapi3.NewObjectSchema()
		case f.InFile:
			schema = schema.WithFormat("binary")
		}
		for _, of := range []string{"Features", "Download"} {
			content := doc.Components.Responses[of].Value.Content
			if content[f.MediaType] != nil {
				continue
			}
			content[f.MediaType] = openapi3.NewMediaType().WithSchema(schema)
		}
	}
}

// concrete is a copy of a path item for one layer; items, downloads and tiles get the layer's
// fields as parameters.
func concrete(item *openapi3.PathItem, l *layer.Layer, fields bool) (*openapi3.PathItem, error) {
	raw, err := json.Marshal(item)
	if err != nil {
		return nil, err
	}
	var out openapi3.PathItem
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, err
	}
	out.Parameters = slices.DeleteFunc(out.Parameters, func(p *openapi3.ParameterRef) bool {
		return strings.HasSuffix(p.Ref, "/collectionId")
	})
	if l.Reference == nil {
		out.Patch, out.Delete = withoutPublishing(out.Patch), withoutPublishing(out.Delete)
	}
	for _, operation := range out.Operations() {
		if strings.HasPrefix(operation.OperationID, tilesOperation) {
			operation.OperationID = l.Name + "." + operation.OperationID
		} else {
			operation.OperationID += "." + l.Name
		}
		operation.Summary += ": " + l.Title.EN
		for _, p := range operation.Parameters {
			if ofOneLayer(l) && strings.HasSuffix(p.Ref, "/"+formatParameter) {
				p.Ref += "." + l.Name
			}
		}
	}
	if fields {
		for _, f := range l.Queryables() {
			if slices.Contains(itemsParameters(), f.Name) {
				continue // the parameter is not the field: a filter names it
			}
			out.Get.Parameters = append(out.Get.Parameters, &openapi3.ParameterRef{Value: fieldParameter(f)})
		}
	}
	// The copy holds references by name only; whoever reads the document resolves them.
	return &out, nil
}

// withoutPublishing drops an operation that only reference layers have.
func withoutPublishing(operation *openapi3.Operation) *openapi3.Operation {
	if operation != nil && slices.Contains(operation.Tags, "Publishing") {
		return nil
	}
	return operation
}

// fieldParameter is equality on a field as a query parameter. Allowed values are
// not listed: a value that no row has selects nothing, which is no error.
func fieldParameter(f layer.Field) *openapi3.Parameter {
	explode := false
	schema := openapi3.NewSchema()
	schema.Type = &openapi3.Types{openapi3.TypeString}
	switch f.Kind {
	case layer.Integer, layer.Number, layer.Boolean:
		schema.Type = &openapi3.Types{string(f.Kind)}
	case layer.Date:
		schema.Format = "date"
	case layer.Timestamp:
		schema.Format = "date-time"
	}
	return &openapi3.Parameter{
		Name: f.Name, In: openapi3.ParameterInQuery, Style: "form", Explode: &explode,
		Description: f.Doc.EN, Schema: openapi3.NewSchemaRef("", schema),
	}
}
