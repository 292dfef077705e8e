package httpapi

import (
	"net/http"
)

// landing is the OGC landing page.
func (a *api) landing(w http.ResponseWriter, r *request) error {
	language := r.language()
	return a.answer(w, r, typeJSON, map[string]any{
		"title":       a.Title.In(language),
		"attribution": a.Attribution.In(language),
		"version":     a.Version,
		"date":        a.ReferenceDate(),
		"links": []link{
			{Href: a.href(r, "", nil), Rel: "self", Type: typeJSON},
			{Href: a.href(r, "/openapi.json", nil), Rel: "service-desc", Type: typeOpenAPI30, Title: "OpenAPI 3.0"},
			{Href: a.href(r, "/openapi-3.1.json", nil), Rel: "service-desc", Type: typeOpenAPI31, Title: "OpenAPI 3.1"},
			{Href: a.href(r, "/conformance", nil), Rel: "conformance", Type: typeJSON},
			{Href: a.href(r, "/conformance", nil), Rel: "http://www.opengis.net/def/rel/ogc/1.0/conformance", Type: typeJSON},
			{Href: a.href(r, "/collections", nil), Rel: "data", Type: typeJSON},
			{Href: a.href(r, "/collections", nil), Rel: "http://www.opengis.net/def/rel/ogc/1.0/data", Type: typeJSON},
		},
	})
}

// conformanceClasses are the classes met, no others.
func conformanceClasses() []string {
	return []string{
		"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
		"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
		"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
		"http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
	}
}

func (a *api) conformance(w http.ResponseWriter, r *request) error {
	return a.answer(w, r, typeJSON, map[string]any{"conformsTo": conformanceClasses()})
}

func (a *api) openapi30(w http.ResponseWriter, r *request) error {
	return a.answerBytes(w, r, typeOpenAPI30, a.openapi.v30)
}

func (a *api) openapi31(w http.ResponseWriter, r *request) error {
	return a.answerBytes(w, r, typeOpenAPI31, a.openapi.v31)
}

// healthz says that the process answers, whatever its database does.
func (a *api) healthz(w http.ResponseWriter, r *request) error {
	return a.probe(w, r, "ok")
}

// readyz says whether requests would be answered now; 503 when not.
func (a *api) readyz(w http.ResponseWriter, r *request) error {
	if err := a.Store.Ready(r.Context()); err != nil {
		p := problem(unavailable, "Máy chủ chưa sẵn sàng.", "The server is not ready.")
		a.Log.WarnContext(r.Context(), "not ready", "cause", err)
		return p
	}
	return a.probe(w, r, "ready")
}

func (a *api) probe(w http.ResponseWriter, r *request, status string) error {
	body, err := encode(map[string]string{"status": status})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	send(w, r, typeJSON, body)
	return nil
}

func (a *api) showMetrics(w http.ResponseWriter, r *request) error {
	w.Header().Set("Cache-Control", "no-store")
	a.metrics.handler.ServeHTTP(w, r.Request)
	return nil
}
