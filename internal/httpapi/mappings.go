package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/intake"
	"hatang/internal/layer"
)

// Mappings are how organisations have their files read. Every method knows only those that
// the viewer may use: his organisation's, for an administrator all.
type Mappings interface {
	// Mappings returns what q selects, by collection and name.
	Mappings(ctx context.Context, v account.Viewer, q layer.MappingQuery) ([]layer.Mapping, error)
	// Mapping and MappingNamed return one; ErrNotFound.
	Mapping(ctx context.Context, v account.Viewer, id int64) (layer.Mapping, error)
	MappingNamed(ctx context.Context, v account.Viewer, n layer.MappingName) (layer.Mapping, error)
	// AddMapping saves one and returns its id; ErrConflict where the name is taken,
	// ErrForbidden, *layer.InvalidError.
	AddMapping(ctx context.Context, v account.Viewer, n layer.MappingName, r layer.Reading) (int64, error)
	// ChangeMapping and RemoveMapping: ErrNotFound, ErrForbidden, *layer.InvalidError.
	ChangeMapping(ctx context.Context, v account.Viewer, id int64, r layer.Reading) error
	RemoveMapping(ctx context.Context, v account.Viewer, id int64) error
}

// Mappings of a page.
const (
	defaultMappings = 100
	mostMappings    = 1000
)

// mappingDocument is a mapping, and why it cannot be used any more.
type mappingDocument struct {
	layer.Mapping
	Faults layer.Faults `json:"faults"`
	Links  []link       `json:"links"`
}

func (a *api) mappingOf(r *request, m layer.Mapping) mappingDocument {
	d := mappingDocument{m, layer.Faults{}, []link{{Href: a.href(r, mappingPath(m.ID), nil), Rel: "self", Type: typeJSON}, {Href: a.href(r, "/collections/"+m.Collection, nil), Rel: "about", Type: typeJSON}}}
	if l, known := r.layers.Get(m.Collection); known {
		d.Faults = append(d.Faults, intake.CheckReading(l, m.Reading)...)
	}
	return d
}

func mappingPath(id int64) string { return "/mappings/" + strconv.FormatInt(id, 10) }

// listMappings lists the mappings of the viewer's organisation, to administrators all.
func (a *api) listMappings(w http.ResponseWriter, r *request) error {
	var faults layer.Faults
	q := layer.MappingQuery{Collection: r.values.Get("collection"), After: numberIn(r, "after", 0, 1<<62, &faults), Limit: int(numberIn(r, "limit", defaultMappings, mostMappings, &faults))}
	if _, known := r.layers.Get(q.Collection); r.values.Has("collection") && !known {
		faults.Add("collection", "không có lớp %q", "there is no collection %q", clip(q.Collection))
	}
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	limit := q.Limit
	q.Limit++ // whether there are more
	found, err := a.Importer.Mappings(r.Context(), r.viewer, q)
	if err != nil {
		return err
	}
	links := []link{}
	if len(found) > limit {
		found = found[:limit]
		next := url.Values{"limit": {strconv.Itoa(limit)}, "after": {strconv.FormatInt(found[limit-1].ID, 10)}}
		if q.Collection != "" {
			next.Set("collection", q.Collection)
		}
		links = append(links, link{Href: a.href(r, "/mappings", next), Rel: "next", Type: typeJSON})
	}
	list := make([]mappingDocument, len(found))
	for i, m := range found {
		list[i] = a.mappingOf(r, m)
	}
	return reply(w, r, http.StatusOK, map[string]any{"mappings": list, "links": links})
}

func (a *api) showMapping(w http.ResponseWriter, r *request) error {
	id, err := numberOf(r, "mappingId")
	if err != nil {
		return err
	}
	m, err := a.Importer.Mapping(r.Context(), r.viewer, id)
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, a.mappingOf(r, m))
}

// addMapping saves a mapping for the viewer's organisation, or one that an administrator names.
func (a *api) addMapping(w http.ResponseWriter, r *request) error {
	var given struct {
		Collection   string        `json:"collection"`
		Organisation *string       `json:"organisation"`
		Name         string        `json:"name"`
		Reading      layer.Reading `json:"reading"`
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	n := layer.MappingName{Collection: given.Collection, Organisation: r.viewer.Organisation, Name: norm.NFC.String(given.Name)}
	if given.Organisation != nil {
		n.Organisation = *given.Organisation
	}
	if _, known := r.layers.Get(n.Collection); !known {
		var faults layer.Faults
		faults.Add("/collection", "không có lớp %q", "there is no collection %q", clip(n.Collection))
		return faultsProblem(invalidBody, faults)
	}
	id, err := a.Importer.AddMapping(r.Context(), r.viewer, n, intake.NormalReading(given.Reading))
	if errors.Is(err, layer.ErrConflict) {
		return problem(conflict, "Đã có ánh xạ tên này cho lớp này; hãy sửa nó, hoặc đặt tên khác: /mappings.", "There is a mapping of this name for this collection; change it, or take another name: /mappings.")
	}
	if err != nil {
		return err
	}
	w.Header().Set("Location", a.href(r, mappingPath(id), nil))
	return reply(w, r, http.StatusCreated, map[string]int64{"id": id})
}

// changeMapping replaces what a mapping says.
func (a *api) changeMapping(w http.ResponseWriter, r *request) error {
	id, err := numberOf(r, "mappingId")
	if err != nil {
		return err
	}
	var given struct {
		Reading layer.Reading `json:"reading"`
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	if err := a.Importer.ChangeMapping(r.Context(), r.viewer, id, intake.NormalReading(given.Reading)); err != nil {
		return err
	}
	return done(w)
}

func (a *api) removeMapping(w http.ResponseWriter, r *request) error {
	id, err := numberOf(r, "mappingId")
	if err != nil {
		return err
	}
	if err := a.Importer.RemoveMapping(r.Context(), r.viewer, id); err != nil {
		return err
	}
	return done(w)
}

// readingOf returns what the viewer's organisation has saved under a name for a layer, nil
// for the name ""; 400 where there is nothing, or the layer has not what it names any more.
func (a *api) readingOf(r *request, l *layer.Layer, name string) (*layer.Reading, error) {
	if name == "" {
		return nil, nil
	}
	var faults layer.Faults
	m, err := a.Importer.MappingNamed(r.Context(), r.viewer, layer.MappingName{Collection: l.Name, Organisation: r.viewer.Organisation, Name: name})
	switch {
	case errors.Is(err, layer.ErrNotFound):
		faults.Add("mapping", "không có ánh xạ %q cho lớp này; /mappings liệt kê các ánh xạ", "there is no mapping %q for this collection; /mappings lists them", clip(name))
		return nil, faultsProblem(invalidParameter, faults)
	case err != nil:
		return nil, err
	}
	for _, f := range intake.CheckReading(l, m.Reading) {
		faults = append(faults, layer.Fault{At: "mapping", Detail: geo.Text{VI: "ánh xạ không dùng được nữa: " + f.At + ": " + f.Detail.VI, EN: "the mapping cannot be used any more: " + f.At + ": " + f.Detail.EN}})
	}
	if len(faults) > 0 {
		return nil, faultsProblem(invalidParameter, faults)
	}
	return &m.Reading, nil
}
