package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
)

// root is where the API begins; the page and the probes lie outside it.
const root = "/api/v1"

// route is one operation. HEAD, OPTIONS and Allow follow from the table.
type route struct {
	method   string
	pattern  string
	handle   handler
	produces []string // media types offered; none: the answer has no body or names its own
	page     string   // the page of an answer that is offered as HTML; "" for documentPage
	consumes []string // media types read
	query    []string // parameters known; others are 400. nil: the handler judges them
	needs    right    // what the viewer must be; the zero is nothing
	lenient  bool     // a session that is over is none, instead of 401
	heavy    bool     // takes much work: waits for its turn
	long     bool     // may be sent on while it is made, at the client's pace
	upload   bool     // reads a file: one of a client at a time
	formats  []string // what f may be; nil: the usual ones
	asks     bool     // changes nothing, whatever its method
	layers   bool     // its answer depends on which layers there are
}

// right is what a route needs of the viewer, before it looks at anything else.
type right int

const (
	nothing       right = iota // the public may
	identity                   // a key or a person
	pen                        // may write features of the layer, or drafts of them
	asking                     // writes, as staff, features of any layer with drafts
	remembering                // sees the history of any layer
	reverting                  // writes, as staff, features of any layer
	administering              // keeps people, keys and settings
	publishing                 // makes layers of files
	filing                     // makes proposals for an organisation
	drafting                   // is staff, of whatever territory
)

var (
	noQuery      = []string{}
	format       = []string{"f"}
	pageQuery    = []string{"f", "lang"}
	inForce      = []string{"in_force"}
	json30       = []string{typeOpenAPI30, typeOpenAPI31, "application/openapi+json", typeJSON}
	schemaPages  = []string{typeSchema, typeJSON, typeHTML}
	jsonType     = []string{typeJSON}
	jsonPages    = []string{typeJSON, typeHTML}
	featureTypes = []string{typeGeoJSON, typeJSON}
	featurePages = []string{typeGeoJSON, typeJSON, typeHTML}
	patchTypes   = []string{typeMergePatch, typeGeoJSON, typeJSON}
	mergeTypes   = []string{typeMergePatch, typeJSON}
	checkTypes   = []string{typeJSON, typeCSV, typeGeoJSON, typeGeoJSONSeq, typeXLSX}
	tileTypes    = []string{typeMVT, "application/x-protobuf", "application/octet-stream"}
	xmlTypes     = []string{typeXML, "text/xml"}
	stylePages   = []string{typeStyle, typeJSON, typeHTML}
	probeTypes   = []string{typeJSON, "text/plain", "application/openmetrics-text"}
)

// methods are all that any route knows, in the order of Allow.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// router builds the whole handler from the table.
func (a *api) router() http.Handler {
	mux := a.mux()
	return limitHead(withHeaders(a.compress.wrap(a.observe(mux)), a.overTLS()), a.overTLS())
}

// mux returns the bare router.
func (a *api) mux() *chi.Mux {
	mux := chi.NewRouter()
	options := map[string]bool{}
	for _, rt := range a.routes() {
		h := a.serve(rt)
		mux.Method(rt.method, rt.pattern, h)
		if rt.method == http.MethodGet {
			mux.Method(http.MethodHead, rt.pattern, h)
		}
		if !options[rt.pattern] {
			options[rt.pattern] = true
			mux.Method(http.MethodOptions, rt.pattern, a.answerOptions(mux, rt))
		}
	}
	// Only the root is served with and without the slash: clients join paths to it.
	landing := a.serve(a.routes()[0])
	mux.Method(http.MethodGet, root+"/", landing)
	mux.Method(http.MethodHead, root+"/", landing)
	mux.Method(http.MethodOptions, root+"/", a.answerOptions(mux, a.routes()[0]))
	mux.MethodNotAllowed(a.methodNotAllowed(mux))
	mux.NotFound(a.elsewhere(mux))
	return mux
}

// allowed lists the methods that a path has, none when there is no such path.
func allowed(mux *chi.Mux, path string) []string {
	return slices.DeleteFunc(slices.Clone(methods), func(method string) bool {
		return !mux.Match(chi.NewRouteContext(), method, path)
	})
}

// routePath is the path as the router matches it.
func routePath(r *http.Request) string {
	if r.URL.RawPath != "" {
		return r.URL.RawPath
	}
	return r.URL.Path
}

// answerOptions answers 204 with Allow and, where there is PATCH, Accept-Patch; and 404
// for a collection there is not. Allow leaves out what somebody who has said who he is
// may not do; to others it tells all methods, for which they could sign in. A browser's
// preflight never says who asks: it is answered for any name, and so tells nothing.
func (a *api) answerOptions(mux *chi.Mux, rt route) http.HandlerFunc {
	here := slices.DeleteFunc(a.routes(), func(other route) bool { return other.pattern != rt.pattern })
	return func(w http.ResponseWriter, r *http.Request) {
		req := &request{Request: r}
		preflight := r.Header.Get("Access-Control-Request-Method") != ""
		if ofCollection(rt) && !preflight {
			if err := a.knownCollection(r.Context(), rt, req); err != nil {
				a.fail(w, r, err)
				return
			}
		}
		methods := allowed(mux, routePath(r))
		known := !preflight && a.identify(req) == nil && req.viewer.Known()
		for _, rt := range here {
			if known && may(rt, req) != nil {
				methods = slices.DeleteFunc(methods, func(m string) bool { return m == rt.method || m == http.MethodHead && rt.method == http.MethodGet })
			}
			rt.offerPatch(w)
		}
		w.Header().Set("Allow", strings.Join(methods, ", "))
		w.WriteHeader(http.StatusNoContent)
	}
}

// knownCollection is 404 where there is no such collection for all that the viewer knows.
// A key that is not good makes nobody of him here: OPTIONS has no other answer to give.
func (a *api) knownCollection(ctx context.Context, rt route, r *request) error {
	if err := a.knowLayers(ctx, rt, r); err != nil || r.layer != nil {
		return err
	}
	if a.identify(r) == nil {
		if err := a.knowLayers(ctx, rt, r); err != nil || r.layer != nil {
			return err
		}
	}
	return unknownCollection()
}

// offerPatch says in which formats changes are described (RFC 5789).
func (rt route) offerPatch(w http.ResponseWriter) {
	if rt.method == http.MethodPatch {
		w.Header().Set("Accept-Patch", strings.Join(rt.consumes, ", "))
	}
}

func (a *api) methodNotAllowed(mux *chi.Mux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		known := allowed(mux, routePath(r))
		if len(known) == 0 {
			a.elsewhere(mux)(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(known, ", "))
		a.writeProblem(w, r, problem(methodNotAllowed,
			"Địa chỉ này chỉ nhận: "+strings.Join(known, ", ")+".", "This address takes only: "+strings.Join(known, ", ")+"."))
	}
}

// elsewhere answers what no route has: a path that only has a slash too many is
// sent to the one without, the API's other paths are 404, the rest is the page's.
func (a *api) elsewhere(mux *chi.Mux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		path := routePath(r)
		if bare := strings.TrimRight(path, "/"); bare != path && len(allowed(mux, bare)) > 0 {
			target := strings.TrimRight(r.URL.EscapedPath(), "/")
			if r.URL.RawQuery != "" {
				target += "?" + r.URL.RawQuery
			}
			w.Header().Set("Location", target)
			w.WriteHeader(http.StatusPermanentRedirect)
			return
		}
		if err := a.identify(&request{Request: r}); err != nil && r.Header.Get("Authorization") != "" {
			a.fail(w, r, err)
			return
		}
		if path == "/api" || strings.HasPrefix(path, "/api/") {
			a.writeProblem(w, r, unknownPath())
			return
		}
		a.servePage(w, r)
	}
}

// servePage hands a request to the page, whose 404 and 405 become problems like
// all others.
func (a *api) servePage(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	// What the page is told of layers must be as fresh as what the API tells.
	if a.FreshLayers != nil && strings.HasPrefix(r.URL.Path, "/ui/") {
		if err := a.FreshLayers(r.Context()); err != nil {
			a.fail(w, r, err)
			return
		}
	}
	page := &pageWriter{ResponseWriter: w}
	a.UI.ServeHTTP(page, r)
	switch page.refused {
	case http.StatusNotFound:
		a.writeProblem(w, r, unknownPath())
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		a.writeProblem(w, r, problem(methodNotAllowed, "Địa chỉ này chỉ nhận: GET, HEAD, OPTIONS.", "This address takes only: GET, HEAD, OPTIONS."))
	}
}

// pageWriter holds back the page's own 404 and 405.
type pageWriter struct {
	http.ResponseWriter
	refused int
}

func (p *pageWriter) WriteHeader(status int) {
	if status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
		p.refused = status
		return
	}
	p.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (p *pageWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *pageWriter) Write(b []byte) (int, error) {
	if p.refused != 0 {
		return len(b), nil
	}
	return p.ResponseWriter.Write(b)
}

func unknownPath() error {
	return problem(notFound, "Không có địa chỉ này; /api/v1 liệt kê những gì có.", "There is no such address; /api/v1 lists what there is.")
}

func unknownCollection() error {
	return problem(notFound, "Không có lớp này; /api/v1/collections liệt kê các lớp.", "There is no such collection; /api/v1/collections lists them.")
}
