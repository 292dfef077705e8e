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

// routes is the whole address space but for the page, which has what is left.
func (a *api) routes() []route {
	get, post := http.MethodGet, http.MethodPost
	collection := root + "/collections/{collectionId}"
	items, item := collection+"/items", collection+"/items/{featureId}"
	rules := root + "/rule-sets/{ruleSetId}/{version}"
	return []route{
		{method: get, pattern: root, handle: a.landing, produces: jsonPages, page: "landing", query: pageQuery},
		{method: get, pattern: root + "/conformance", handle: a.conformance, produces: jsonPages, page: "conformance", query: pageQuery},
		{method: get, pattern: root + "/openapi.json", handle: a.openapi30, produces: json30, query: format, layers: true},
		{method: get, pattern: root + "/openapi-3.1.json", handle: a.openapi31, produces: json30, query: format, layers: true},
		{method: get, pattern: root + "/openapi.html", handle: a.openapiHTML, produces: []string{typeHTML}, page: "openapi", query: []string{"lang"}, layers: true},

		{method: get, pattern: root + "/collections", handle: a.collections, produces: jsonPages, page: "collections", query: pageQuery, layers: true},
		{method: post, pattern: root + "/collections", handle: a.publishLayer, produces: jsonType, consumes: importTypes, query: publishQuery(), needs: publishing, layers: true, upload: true},
		{method: get, pattern: collection, handle: a.collection, produces: jsonPages, page: "collection", query: pageQuery},
		{method: http.MethodPatch, pattern: collection, handle: a.changeLayer, consumes: mergeTypes, query: noQuery, needs: publishing},
		{method: http.MethodDelete, pattern: collection, handle: a.withdrawLayer, query: noQuery, needs: publishing},
		{method: get, pattern: collection + "/schema", handle: a.schema, produces: schemaPages, page: "schema", query: pageQuery},
		{method: get, pattern: collection + "/queryables", handle: a.queryables, produces: schemaPages, page: "schema", query: pageQuery},
		{method: get, pattern: collection + "/sortables", handle: a.sortables, produces: schemaPages, page: "schema", query: pageQuery},
		{method: get, pattern: items, handle: a.listFeatures, produces: slices.Concat(featureTypesOut(), []string{typeHTML}), page: "items", long: true},
		{method: get, pattern: collection + "/download", handle: a.downloadFeatures, produces: featureTypesOut(), heavy: true},
		{method: post, pattern: items, handle: a.createFeature, consumes: featureTypes, query: noQuery, needs: pen},
		{method: get, pattern: item, handle: a.getFeature, produces: featurePages, page: "item", query: []string{"crs", knownAtName, "properties", "skipGeometry", "f", "lang"}},
		{method: http.MethodPut, pattern: item, handle: a.replaceFeature, consumes: featureTypes, query: inForce, needs: pen},
		{method: http.MethodPatch, pattern: item, handle: a.patchFeature, consumes: patchTypes, query: inForce, needs: pen},
		{method: http.MethodDelete, pattern: item, handle: a.deleteFeature, query: noQuery, needs: pen},

		{method: get, pattern: collection + "/tiles", handle: tilesOf(a.ofCollection, a.listTilesets), produces: jsonPages},
		{method: get, pattern: collection + mercator, handle: tilesOf(a.ofCollection, a.showTileset), produces: jsonPages},
		{method: get, pattern: collection + mercator + "/tilejson", handle: tilesOf(a.ofCollection, a.showTileJSON), produces: jsonPages},
		{method: get, pattern: collection + mercator + tileAddress, handle: a.collectionTile, produces: tileTypes},
		{method: get, pattern: root + "/tiles", handle: tilesOf(a.ofSeveral, a.listTilesets), produces: jsonPages, query: append(severalParameters(), pageQuery...), layers: true},
		{method: get, pattern: root + mercator, handle: tilesOf(a.ofSeveral, a.showTileset), produces: jsonPages, query: append(severalParameters(), pageQuery...), layers: true},
		{method: get, pattern: root + mercator + "/tilejson", handle: tilesOf(a.ofSeveral, a.showTileJSON), produces: jsonPages, query: append(severalParameters(), pageQuery...), layers: true},
		{method: get, pattern: root + mercator + tileAddress, handle: a.tile, produces: tileTypes, query: severalParameters(), layers: true},
		{method: get, pattern: root + "/tileMatrixSets", handle: a.tileMatrixSets, produces: jsonPages, query: pageQuery},
		{method: get, pattern: root + "/tileMatrixSets/WebMercatorQuad", handle: a.tileMatrixSet, produces: jsonPages, query: pageQuery},
		{method: get, pattern: collection + "/qgis.qml", handle: a.qgisStyle, produces: []string{typeQML, typeXML}, query: noQuery},
		{method: get, pattern: root + "/qgis/connections.xml", handle: a.qgisFeatures, produces: xmlTypes, query: noQuery},
		{method: get, pattern: root + "/qgis/vector-tiles.xml", handle: a.qgisTiles, produces: xmlTypes, query: noQuery},
		{method: get, pattern: root + "/styles", handle: a.styles, produces: jsonPages, query: pageQuery, layers: true},
		{method: get, pattern: root + "/styles/{styleId}", handle: a.style, produces: stylePages, query: pageQuery, layers: true},

		{method: get, pattern: root + "/search", handle: a.search, produces: jsonPages, query: searchQuery(), layers: true},
		{method: get, pattern: root + "/changes", handle: a.listChanges, produces: jsonPages, query: changesQuery(), needs: remembering, layers: true},
		{method: post, pattern: root + "/changes/reverts", handle: a.revertChanges, produces: jsonType, consumes: jsonType, query: []string{"dry_run"}, needs: reverting, layers: true, heavy: true},

		{method: post, pattern: root + "/placement-checks", handle: a.placementChecks, produces: checkTypes, consumes: checkTypes, query: []string{againstName, "detail", knownAtName, nearestName}, asks: true},
		{method: get, pattern: root + "/placement-checks/network", handle: a.network, produces: networkTypes(), formats: networkNames(), query: []string{"date", "f", knownAtName, "operator"}, heavy: true},
		{method: post, pattern: root + "/cable-checks", handle: a.cableChecks, produces: jsonType, consumes: jsonType, query: []string{knownAtName}, asks: true, heavy: true},

		{method: get, pattern: root + "/indicators", handle: a.allIndicators, produces: jsonType, query: []string{"date", "f", "level"}, heavy: true},
		{method: get, pattern: root + "/provinces/{code}/indicators", handle: a.unitIndicators("province"), produces: jsonType, query: []string{"date", "f"}, heavy: true},
		{method: get, pattern: root + "/districts/{code}/indicators", handle: a.unitIndicators("district"), produces: jsonType, query: []string{"date", "f"}, heavy: true},
		{method: get, pattern: root + "/communes/{code}/indicators", handle: a.unitIndicators("commune"), produces: jsonType, query: []string{"date", "f"}, heavy: true},

		{method: get, pattern: root + "/provinces/{code}/uncovered", handle: a.uncovered("province"), produces: featureTypes, query: uncoveredQuery(), heavy: true},
		{method: get, pattern: root + "/districts/{code}/uncovered", handle: a.uncovered("district"), produces: featureTypes, query: uncoveredQuery(), heavy: true},
		{method: get, pattern: root + "/communes/{code}/uncovered", handle: a.uncovered("commune"), produces: featureTypes, query: uncoveredQuery(), heavy: true},

		{method: get, pattern: root + "/provinces/{code}/sharing-clusters", handle: a.sharingClusters("province"), produces: featureTypes, query: clustersQuery(), heavy: true},
		{method: get, pattern: root + "/districts/{code}/sharing-clusters", handle: a.sharingClusters("district"), produces: featureTypes, query: clustersQuery(), heavy: true},
		{method: get, pattern: root + "/communes/{code}/sharing-clusters", handle: a.sharingClusters("commune"), produces: featureTypes, query: clustersQuery(), heavy: true},

		{method: get, pattern: root + "/units/{code}/lineage", handle: a.showLineage, produces: jsonType, query: []string{"date", "f", "level"}},

		{method: get, pattern: root + "/plan/indicators", handle: a.planDocument("indicators"), produces: jsonType, query: planQuery(), heavy: true},
		{method: get, pattern: root + "/plan/phases", handle: a.planDocument("phases"), produces: jsonType, query: planQuery(), heavy: true},
		{method: get, pattern: root + "/plan/projects", handle: a.planDocument("projects"), produces: jsonType, query: planQuery(), heavy: true},
		{method: get, pattern: root + "/plan/reconciliation", handle: a.planDocument("reconciliation"), produces: jsonType, query: planQuery(), heavy: true},
		{method: get, pattern: root + "/plan/tables/{table}", handle: a.planTable, produces: jsonType, query: planQuery(), heavy: true},

		{method: get, pattern: root + "/session", handle: a.showSession, produces: jsonType, query: noQuery, lenient: true},
		{method: post, pattern: root + "/session", handle: a.signIn, produces: jsonType, consumes: jsonType, query: noQuery, lenient: true},
		{method: http.MethodDelete, pattern: root + "/session", handle: a.signOut, query: noQuery, lenient: true},
		{method: http.MethodPut, pattern: root + "/session/password", handle: a.changePassword, consumes: jsonType, query: noQuery, needs: identity},
		{method: get, pattern: root + "/session/oidc", handle: a.startOIDC, query: []string{"return"}, lenient: true},
		{method: get, pattern: root + "/session/oidc/callback", handle: a.finishOIDC, lenient: true},

		{method: get, pattern: root + "/keys", handle: a.listKeys, produces: jsonType, query: noQuery, needs: identity},
		{method: post, pattern: root + "/keys", handle: a.addKey, produces: jsonType, consumes: jsonType, query: noQuery, needs: identity},
		{method: http.MethodDelete, pattern: root + "/keys/{keyId}", handle: a.revokeKey, query: noQuery, needs: identity},

		{method: get, pattern: root + "/consultations", handle: a.listConsultations, produces: jsonType, query: []string{"after", "collection", "limit", "state"}, needs: identity},
		{method: post, pattern: root + "/consultations", handle: a.askAgency, produces: jsonType, consumes: jsonType, query: noQuery, needs: asking},
		{method: get, pattern: root + "/consultations/{consultationId}", handle: a.showConsultation, produces: jsonType, query: noQuery, needs: identity},
		{method: http.MethodPatch, pattern: root + "/consultations/{consultationId}", handle: a.changeConsultation, consumes: mergeTypes, query: noQuery, needs: identity},

		{method: get, pattern: root + "/proposals", handle: a.listProposals, produces: jsonType, query: proposalsQuery(), needs: identity},
		{method: post, pattern: root + "/proposals", handle: a.fileProposal, produces: jsonType, consumes: jsonType, query: noQuery, needs: filing},
		{method: get, pattern: root + "/proposals/{proposalId}", handle: a.showProposal, produces: jsonType, query: noQuery, needs: identity},
		{method: post, pattern: root + "/proposals/{proposalId}/decisions", handle: a.decideProposal, produces: jsonType, consumes: jsonType, query: noQuery, needs: identity},
		{method: get, pattern: root + "/decisions", handle: a.listDecisions, produces: jsonType, query: []string{"after", "collection", "feature", "limit", "organisation", "outcome", "year"}, layers: true},
		{method: get, pattern: root + "/decisions/{number}", handle: a.showDecision, produces: jsonType, query: noQuery},

		{method: get, pattern: root + "/rule-sets", handle: a.listRuleSets, produces: jsonType, query: []string{"date", "id", "jurisdiction", "state"}},
		{method: post, pattern: root + "/rule-sets", handle: a.draftRules, produces: jsonType, consumes: jsonType, query: []string{"jurisdiction"}, needs: drafting},
		{method: get, pattern: rules, handle: a.showRules, produces: jsonType, query: noQuery},
		{method: http.MethodPut, pattern: rules, handle: a.changeRules, consumes: jsonType, query: noQuery, needs: drafting},
		{method: http.MethodDelete, pattern: rules, handle: a.dropRules, query: noQuery, needs: drafting},
		{method: get, pattern: rules + "/differences", handle: a.compareRules, produces: jsonType, query: []string{"from"}},
		{method: get, pattern: rules + "/effects", handle: a.rulesEffects, produces: jsonType, query: []string{"date", "from"}, heavy: true},
		{method: post, pattern: rules + "/publication", handle: a.publishRules, query: noQuery, needs: drafting},

		{method: post, pattern: root + "/verdicts", handle: a.recordVerdict, produces: jsonType, consumes: jsonType, query: noQuery, needs: identity, heavy: true},
		{method: get, pattern: root + "/verdicts/{verdictNumber}", handle: a.showVerdict, produces: jsonType, query: noQuery, needs: identity},
		{method: get, pattern: root + "/verdicts/{verdictNumber}/verification", handle: a.verifyVerdict, produces: jsonType, query: []string{"code"}},
		{method: post, pattern: root + "/verdicts/{verdictNumber}/replay", handle: a.replayVerdict, produces: jsonType, query: noQuery, needs: identity, asks: true, heavy: true},
		{method: get, pattern: root + "/signing-keys", handle: a.showSigningKeys, produces: jsonType, query: noQuery},

		{method: get, pattern: root + "/imports", handle: a.listImports, produces: jsonType, query: []string{"after", "limit"}, needs: identity},
		{method: post, pattern: root + "/imports", handle: a.addImport, produces: jsonType, consumes: importTypes, query: importQuery(), needs: identity, layers: true, upload: true},
		{method: get, pattern: root + "/imports/{importId}", handle: a.showImport, produces: jsonType, query: noQuery, needs: identity},
		{method: http.MethodDelete, pattern: root + "/imports/{importId}", handle: a.cancelImport, query: noQuery, needs: identity},

		{method: get, pattern: root + "/mappings", handle: a.listMappings, produces: jsonType, query: []string{"after", "collection", "limit"}, needs: identity, layers: true},
		{method: post, pattern: root + "/mappings", handle: a.addMapping, produces: jsonType, consumes: jsonType, query: noQuery, needs: reverting, layers: true},
		{method: get, pattern: root + "/mappings/{mappingId}", handle: a.showMapping, produces: jsonType, query: noQuery, needs: identity, layers: true},
		{method: http.MethodPut, pattern: root + "/mappings/{mappingId}", handle: a.changeMapping, consumes: jsonType, query: noQuery, needs: reverting, layers: true},
		{method: http.MethodDelete, pattern: root + "/mappings/{mappingId}", handle: a.removeMapping, query: noQuery, needs: reverting, layers: true},

		{method: get, pattern: root + "/site-proposals", handle: a.proposeSites, produces: jsonType, query: []string{"distance", "f"}, needs: reverting, heavy: true},
		{method: post, pattern: root + "/site-proposals/mergers", handle: a.mergeSites, produces: jsonType, consumes: jsonType, query: []string{"dry_run"}, needs: reverting},
		{method: post, pattern: root + "/site-proposals/splits", handle: a.splitSite, produces: jsonType, consumes: jsonType, query: []string{"dry_run"}, needs: reverting},
		{method: post, pattern: root + "/site-proposals/refusals", handle: a.keepApart, consumes: jsonType, query: noQuery, needs: reverting},

		{method: get, pattern: root + "/people", handle: a.listPeople, produces: jsonType, query: noQuery, needs: administering},
		{method: post, pattern: root + "/people", handle: a.addPerson, produces: jsonType, consumes: jsonType, query: noQuery, needs: administering},
		{method: get, pattern: root + "/people/{personId}", handle: a.showPerson, produces: jsonType, query: noQuery, needs: administering},
		{method: http.MethodPatch, pattern: root + "/people/{personId}", handle: a.changePerson, consumes: mergeTypes, query: noQuery, needs: administering},
		{method: post, pattern: root + "/people/{personId}/grants", handle: a.addGrant, produces: jsonType, consumes: jsonType, query: noQuery, needs: administering},
		{method: http.MethodDelete, pattern: root + "/people/{personId}/grants/{grantId}", handle: a.withdrawGrant, query: noQuery, needs: administering},

		{method: get, pattern: root + "/organisations", handle: a.listOrganisations, produces: jsonType, query: format},
		{method: post, pattern: root + "/organisations", handle: a.addOrganisation, produces: jsonType, consumes: jsonType, query: noQuery, needs: administering},
		{method: get, pattern: root + "/publications", handle: a.listPublications, produces: jsonType, query: format},
		{method: http.MethodPut, pattern: root + "/publications/{code}", handle: a.setPublication, consumes: jsonType, query: noQuery, needs: administering},
		{method: get, pattern: root + "/audit", handle: a.showAudit, produces: jsonType, query: []string{"below", "limit"}, needs: administering},

		{method: get, pattern: "/healthz", handle: a.healthz, produces: probeTypes, query: noQuery},
		{method: get, pattern: "/readyz", handle: a.readyz, produces: probeTypes, query: noQuery},
		{method: get, pattern: "/metrics", handle: a.showMetrics, query: noQuery},
	}
}

// methods are all that any route knows, in the order of Allow.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// router builds the whole handler from the table.
func (a *api) router() http.Handler {
	mux := a.mux()
	return limitHead(withHeaders(a.compress(a.observe(mux)), a.overTLS()), a.overTLS())
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
