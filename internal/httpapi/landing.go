package httpapi

import (
	"context"
	"net/http"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/permit"
)

// landing is the OGC landing page.
func (a *api) landing(w http.ResponseWriter, r *request) error {
	language := r.language()
	return a.answer(w, r, typeJSON, map[string]any{
		"title":       a.Title.In(language),
		"attribution": a.Attribution.In(language),
		"version":     a.Version,
		"date":        a.ReferenceDate(),
		"links": append([]link{
			{Href: a.href(r, "", nil), Rel: "self", Type: r.selfType(typeJSON)},
			{Href: a.href(r, "/openapi.json", nil), Rel: "service-desc", Type: typeOpenAPI30, Title: "OpenAPI 3.0"},
			{Href: a.href(r, "/openapi-3.1.json", nil), Rel: "service-desc", Type: typeOpenAPI31, Title: "OpenAPI 3.1"},
			{Href: a.href(r, "/openapi.html", nil), Rel: "service-doc", Type: typeHTML},
			{Href: a.href(r, "/conformance", nil), Rel: "conformance", Type: typeJSON},
			{Href: a.href(r, "/conformance", nil), Rel: "http://www.opengis.net/def/rel/ogc/1.0/conformance", Type: typeJSON},
			{Href: a.href(r, "/collections", nil), Rel: "data", Type: typeJSON},
			{Href: a.href(r, "/collections", nil), Rel: "http://www.opengis.net/def/rel/ogc/1.0/data", Type: typeJSON},
			{Href: a.href(r, "/tiles", nil), Rel: relTilesets, Type: typeJSON},
			{Href: a.href(r, "/tileMatrixSets", nil), Rel: relTilingSchemes, Type: typeJSON},
			{Href: a.href(r, "/styles", nil), Rel: relStyles, Type: typeJSON},
			{Href: a.href(r, "/search", nil) + "?q={q}", Rel: "search", Type: typeJSON, Templated: true},
			{Href: a.href(r, "/qgis/connections.xml", nil), Rel: relRelated, Type: typeXML, Title: "QGIS: WFS / OGC API - Features"},
			{Href: a.href(r, "/qgis/vector-tiles.xml", nil), Rel: relRelated, Type: typeXML, Title: "QGIS: Vector Tiles"},
		}, a.alternates(r, typeJSON)...),
	})
}

func (a *api) openapi30(w http.ResponseWriter, r *request) error {
	docs, err := openapiDocuments.of(&a.Config, r.layers.All())
	if err != nil {
		return err
	}
	return a.answerBytes(w, r, typeOpenAPI30, docs.v30)
}

func (a *api) openapi31(w http.ResponseWriter, r *request) error {
	docs, err := openapiDocuments.of(&a.Config, r.layers.All())
	if err != nil {
		return err
	}
	return a.answerBytes(w, r, typeOpenAPI31, docs.v31)
}

// healthz says that the process answers, whatever its database does.
func (a *api) healthz(w http.ResponseWriter, r *request) error {
	return a.probe(w, r, map[string]any{"status": "ok"})
}

// readyWithin is how long the database may take to show that it answers.
const readyWithin = 2 * time.Second

// readyz says whether requests would be answered now, 503 when not, and how fresh
// the snapshots in memory are: one that is not fresh is not answered from.
func (a *api) readyz(w http.ResponseWriter, r *request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	if err := a.Store.Ready(ctx); err != nil {
		p := problem(unavailable, "Máy chủ chưa sẵn sàng.", "The server is not ready.")
		a.Log.WarnContext(r.Context(), "not ready", "cause", err)
		return p
	}
	status := map[string]any{"status": "ready"}
	if a.Memory != nil {
		status["snapshots"] = freshness(a.Memory(), r.viewer.Staff())
	}
	return a.probe(w, r, status)
}

// snapshotStatus is how one snapshot in memory stands.
type snapshotStatus struct {
	Viewers string   `json:"viewers"` // the kind of viewers it is for
	Date    geo.Date `json:"date"`
	Fresh   bool     `json:"fresh"` // answers are made from it; else the database makes them
	// AgeS is how long ago it was known to be the latest, seconds; null before it has been read.
	AgeS *float64 `json:"age_s"`
}

// freshness lists the snapshots; others than staff are not told who else asks.
func freshness(report permit.Report, all bool) []snapshotStatus {
	list := []snapshotStatus{}
	for _, s := range report.Snapshots {
		if all || s.Viewers == account.Anonymous().Class() {
			list = append(list, snapshotStatus{s.Viewers, s.Date, s.Fresh, s.AgeS})
		}
	}
	return list
}

func (a *api) probe(w http.ResponseWriter, r *request, status map[string]any) error {
	body, err := encode(status)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	send(w, r, typeJSON, body)
	return nil
}

func (a *api) showMetrics(w http.ResponseWriter, r *request) error {
	w.Header().Set("Cache-Control", "no-store")
	if r.viewer.Staff() {
		a.metrics.handler.ServeHTTP(w, r.Request)
		return nil
	}
	a.metrics.public.ServeHTTP(w, r.Request)
	return nil
}
