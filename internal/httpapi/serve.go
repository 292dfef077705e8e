package httpapi

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// request is a request whose route, viewer and rights are settled.
type request struct {
	*http.Request
	limits *limits
	time   time.Duration // that the work may take; 0 for work that has a pace to keep
	leave  func()        // gives back the place of a large body
	writes bool          // may change something
	viewer account.Viewer
	who    credentials  // by what the viewer is known
	layer  *layer.Layer // of routes below a collection, else nil
	layers *layer.Set   // that the viewer may know of
	values url.Values   // the query; of routes that name their parameters
	pages  bool         // the route offers HTML
	html   bool         // and that is what is asked for
	papers bool         // the route offers PDF
	pdf    bool         // and that is what is asked for
	page   string       // the template of it
	// address is what base found; "" before it is asked.
	address string
}

// language is "vi" or "en".
func (r *request) language() string { return languageOf(r.Request) }

// param returns a part of the path, unescaped; what cannot be is returned as it came.
func (r *request) param(name string) string {
	raw := chi.URLParam(r.Request, name)
	if r.URL.RawPath == "" {
		return raw
	}
	if plain, err := url.PathUnescape(raw); err == nil {
		return plain
	}
	return raw
}

// begin begins the time that the work may take. It is called once.
func (r *request) begin() {
	if r.time > 0 {
		r.Context().(*underway).begin(r.time) // as observe made it
	}
}

// end gives back what the request has taken.
func (r *request) end() {
	if r.leave != nil {
		r.leave()
	}
}

// time is how long the work on a request may take; 0 where the client's pace says.
func (rt route) time(r *http.Request) time.Duration {
	switch {
	case rt.asks && isRows(r):
		return 0
	case rt.heavy, rt.asks, rt.long:
		return reportTime
	}
	return requestTime
}

// handler does the work of a route; its error becomes the problem.
type handler func(http.ResponseWriter, *request) error

// serve puts the checks of every route, in their order, before its work.
func (a *api) serve(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if rec, ok := w.(*recorder); ok {
			rec.pattern = rt.pattern
		}
		rt.offerPatch(w)
		req, err := a.admit(rt, r)
		defer req.end()
		if req.who.stale {
			a.setSession(w, req, "", time.Time{})
		}
		if err == nil {
			err = a.work(rt, w, req)
		}
		if err != nil {
			a.fail(w, r, a.noteRefusal(rt, req, err))
		}
	}
}

// work does the work of a request when its turn has come.
func (a *api) work(rt route, w http.ResponseWriter, r *request) error {
	leave, err := a.limits.enter(rt, r.viewer, r.Request)
	if err != nil {
		return err
	}
	defer leave()
	if r.html {
		w.Header()["Content-Security-Policy"] = ofPages
	}
	err = rt.handle(atAnswer(w, rt, leave), r)
	if r.layer != nil {
		err = changedMeanwhile(r.layer, err)
	}
	return err
}

// changedMeanwhile is 503 where the database has another table than this server has heard
// of yet: a second later it has.
func changedMeanwhile(l *layer.Layer, err error) error {
	if l.Reference != nil && errors.Is(err, layer.ErrChanged) {
		return problem(unavailable, "Lớp này vừa được thay đổi; hãy thử lại sau vài giây.", "The collection has just been changed; try again in a few seconds.")
	}
	return err
}

// admit answers who (401), may (404, 403), media type (415, 406), parameters (400). What
// it returns knows the viewer as far as that was found out.
func (a *api) admit(rt route, r *http.Request) (*request, error) {
	req := &request{Request: r, limits: a.limits, time: rt.time(r), writes: changes(r.Method) && !rt.asks}
	if rt.consumes == nil { // else the time begins when the body is there
		req.begin()
	}
	if err := a.identify(req); err != nil && (!rt.lenient || !req.who.stale) {
		return req, err
	}
	account.Tell(r.Context(), req.viewer)
	if err := a.knowLayers(r.Context(), rt, req); err != nil {
		return req, err
	}
	if rt.needs != nothing && !req.viewer.Known() {
		return req, problem(unauthorised, "Việc này cần đăng nhập hoặc khóa: Authorization: Bearer KHÓA.", "This needs a person who has signed in, or a key: Authorization: Bearer KEY.")
	}
	if req.layer == nil && ofCollection(rt) {
		return req, unknownCollection()
	}
	if err := may(rt, req); err != nil {
		return req, err
	}
	if err := checkMedia(rt, r); err != nil {
		return req, err
	}
	req.pages, req.html, req.page = slices.Contains(rt.produces, typeHTML), asksForPage(r, rt.produces), cmp.Or(rt.page, documentPage)
	req.papers, req.pdf = slices.Contains(rt.produces, typePDF), asksForPDF(r, rt.produces)
	if rt.query == nil {
		return req, nil
	}
	var faults layer.Faults
	req.values = readQuery(r.URL.RawQuery, rt.query, &faults)
	checkFormat(req.values, rt.formats, req.pages, &faults)
	if len(faults) > 0 {
		return req, faultsProblem(invalidParameter, faults)
	}
	return req, nil
}

// ofCollection reports whether a route lies below a collection.
func ofCollection(rt route) bool { return strings.Contains(rt.pattern, "{collectionId}") }

// knowLayers settles which layers the viewer may know of, and whether the path's is one of
// them; as things are now where the route depends on it.
func (a *api) knowLayers(ctx context.Context, rt route, r *request) error {
	if a.FreshLayers != nil && (rt.layers || ofCollection(rt)) {
		if err := a.FreshLayers(ctx); err != nil {
			return err
		}
	}
	r.layers = a.Registry.Seen(r.viewer)
	if ofCollection(rt) {
		r.layer, _ = r.layers.Get(r.param("collectionId"))
	}
	return nil
}

// may answers 403 to a viewer whose role is not enough for the route, whatever the row.
func may(rt route, r *request) error {
	switch rt.needs {
	case pen:
		return mayWrite(r.viewer, r.layer)
	case asking, reverting:
		if !r.viewer.AsksAnything() {
			return problem(forbidden, "Việc này chỉ dành cho cán bộ được sửa dữ liệu.", "This is for staff who may write features.")
		}
	case remembering:
		if !r.viewer.Remembers() {
			return problem(forbidden, "Lịch sử thay đổi chỉ dành cho cán bộ, và cho doanh nghiệp về đối tượng của mình.", "The history is for staff alone, and for operators about rows of their own.")
		}
	case publishing:
		if !r.viewer.Publishes() {
			return problem(forbidden, "Việc này chỉ dành cho cán bộ quản lý mọi lớp trên toàn địa bàn.", "This is for officers alone who write all layers everywhere.")
		}
	case filing:
		if !r.viewer.FilesAnything() {
			return problem(forbidden, "Chỉ người của doanh nghiệp có quyền soạn bản thảo mới nộp hồ sơ.", "Proposals are filed by operators of an organisation alone.")
		}
	case drafting:
		if !r.viewer.Staff() {
			return problem(forbidden, "Việc này chỉ dành cho cán bộ.", "This is for staff alone.")
		}
	case administering:
		if !r.viewer.Administers() {
			return problem(forbidden, "Việc này chỉ dành cho quản trị.", "This is for administrators alone.")
		}
	}
	return nil
}

// mayWrite answers 403 to a viewer who may write no features of the layer.
func mayWrite(v account.Viewer, l *layer.Layer) error {
	if p := v.Pen(l.Name); p.None() || !p.All && len(p.Territories) == 0 && !l.HasDrafts() {
		return problem(forbidden, "Bạn không có quyền sửa lớp này.", "You may not write features of this layer.")
	}
	return nil
}

// checkMedia compares Content-Type and Accept with what the route reads and offers.
func checkMedia(rt route, r *http.Request) error {
	if rt.consumes != nil && !isType(r.Header.Get("Content-Type"), rt.consumes) {
		list := strings.Join(rt.consumes, ", ")
		return problem(unsupportedMedia, "Content-Type phải là một trong: "+list+".", "The Content-Type must be one of: "+list+".")
	}
	if coding := r.Header.Get("Content-Encoding"); rt.consumes != nil && coding != "" && !strings.EqualFold(coding, "identity") {
		return problem(unsupportedMedia, "Nội dung gửi lên không được nén.", "The body must not be compressed.")
	}
	accept := r.Header.Get("Accept")
	if rt.produces != nil && accept != "" && (r.URL.RawQuery == "" || !r.URL.Query().Has("f")) && !acceptable(accept, rt.produces) {
		list := strings.Join(rt.produces, ", ")
		return problem(notAcceptable, "Có các định dạng: "+list+".", "What there is: "+list+".")
	}
	return nil
}

// readQuery reads the query and reports parameters that are not among the known,
// given twice, or not readable at all.
func readQuery(raw string, known []string, faults *layer.Faults) url.Values {
	return readKnown(raw, func(name string) bool { return slices.Contains(known, name) }, func() []string { return known }, faults)
}

// readKnown is readQuery of parameters that are known by a function; all lists them for
// the sentence, which most requests do not need.
func readKnown(raw string, known func(name string) bool, all func() []string, faults *layer.Faults) url.Values {
	if raw == "" {
		return nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		faults.Add("query", "phần sau dấu ? không đọc được: hãy mã hóa phần trăm các ký tự đặc biệt", "the part after ? cannot be read: percent-encode special characters")
	}
	var wrong []string
	for name := range values {
		if !known(name) || len(values[name]) > 1 {
			wrong = append(wrong, name)
		}
	}
	slices.Sort(wrong)
	for _, name := range wrong {
		if known(name) {
			faults.Add(name, "tham số %s chỉ được cho một lần", "the parameter %s is given more than once", name)
			continue
		}
		list := cmp.Or(strings.Join(all(), ", "), "–")
		faults.Add(parameterName(name), "không có tham số %q; các tham số: %s", "there is no parameter %q; there are: %s", clip(name), list)
	}
	return values
}

// parameterName is a name as it can stand in a fault: not empty and no pointer.
func parameterName(name string) string {
	if name == "" || name[0] == '/' {
		return "query"
	}
	return clip(name)
}

// clip shortens what a client sent before it is said back.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// checkFormat accepts the formats and the languages there are: of the usual ones html where
// there are pages.
func checkFormat(values url.Values, formats []string, pages bool, faults *layer.Faults) {
	if formats == nil {
		formats = []string{"json", "geojson"}
	}
	if pages {
		formats = append(formats, "html")
	}
	if list := strings.Join(formats, ", "); values.Has("f") && !slices.Contains(formats, values.Get("f")) {
		faults.Add("f", "f phải là một trong: %s", "f must be one of: %s", list)
	}
	checkLanguage(values, faults)
}

func checkLanguage(values url.Values, faults *layer.Faults) {
	if values.Has("lang") && !isLanguage(values.Get("lang")) {
		faults.Add("lang", "lang phải là vi hoặc en", "lang must be vi or en")
	}
}

// statusClientGone is what the log says of a request whose client left.
const statusClientGone = 499

// fail answers with the problem of err, once: an answer that has begun is cut off
// instead, and to a client that has gone nothing is said.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	rec, recorded := w.(*recorder)
	// net/http takes a client that is too slow for one that has gone.
	gone := errors.Is(r.Context().Err(), context.Canceled) && problemFor(err).Type != tooSlow
	if gone || errors.Is(err, errClientGone) {
		if recorded && !rec.started {
			rec.status = statusClientGone
		}
		a.Log.DebugContext(r.Context(), "client left", "request_id", w.Header().Get(requestIDHeader))
		panic(http.ErrAbortHandler)
	}
	p := problemFor(err)
	if p.Type.Status >= http.StatusInternalServerError {
		a.Log.LogAttrs(r.Context(), slog.LevelError, "request failed",
			slog.String("request_id", w.Header().Get(requestIDHeader)), slog.Int("status", p.Type.Status), slog.Any("cause", err))
	}
	if recorded && rec.started {
		panic(http.ErrAbortHandler)
	}
	a.writeProblem(w, r, err)
}
