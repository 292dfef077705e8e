package httpapi

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-chi/chi/v5"

	"hatang/internal/account"
)

// Limits of every request; the OpenAPI document names them.
const (
	maxAddressBytes = 16 << 10 // request line
	maxHeaderBytes  = 64 << 10 // all headers
	headerTime      = 10 * time.Second
	idleTime        = time.Minute
	answerTime      = 5 * time.Minute // sending an answer, but for rows, which have a pace to keep
)

// Work on one answer, from when its request is complete: what the database takes for one
// statement of it (postgis.RequestLimits), and what it takes for those of a report.
const (
	requestTime = 10 * time.Second
	reportTime  = time.Minute
)

const requestIDHeader = "X-Request-Id"

// Server returns a server for the handler with the limits that keep slow and
// greedy clients from holding it.
func Server(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr: addr, Handler: h,
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       bodyTime,
		WriteTimeout:      answerTime,
		IdleTimeout:       idleTime,
	}
}

// Values of headers that every answer carries. They are shared: nobody changes or
// appends to them in place.
var (
	noSniff        = []string{"nosniff"}
	varies         = []string{"Accept, Accept-Encoding, Accept-Language, Authorization, Cookie"}
	anyOrigin      = []string{"*"}
	noContent      = []string{"default-src 'none'; frame-ancestors 'none'"} // the page has a policy of its own
	sameReferrer   = []string{"same-origin"}
	sameOpener     = []string{"same-origin"}
	strictly       = []string{"max-age=31536000"}
	exposedHeaders = []string{"Accept-Patch, Accept-Ranges, Allow, Content-Crs, Content-Disposition, Content-Language, Content-Range, ETag, Hatang-Summary, Hatang-Truncated, Link, Location, OGC-NumberMatched, OGC-NumberReturned, " +
		"Preference-Applied, Retry-After, WWW-Authenticate, X-Request-Id"}
)

// withHeaders sets what every answer carries, 4xx and 5xx included. overTLS says that
// clients come by https, and from then on shall by nothing else.
func withHeaders(next http.Handler, overTLS bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set(requestIDHeader, newRequestID())
		if overTLS || r.TLS != nil {
			h["Strict-Transport-Security"] = strictly
		}
		h["Vary"] = varies
		h["Access-Control-Allow-Origin"] = anyOrigin
		h["Access-Control-Expose-Headers"] = exposedHeaders
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "Accept, Accept-Language, Authorization, Content-Crs, Content-Type, If-Match, If-None-Match, If-Range, Prefer, Range")
			h.Set("Access-Control-Max-Age", "86400")
		}
		guarded := &guardedAnswer{ResponseWriter: w}
		next.ServeHTTP(guarded, r)
		if !guarded.started { // and is only now
			guarded.guard(h)
		}
	})
}

// guardedAnswer adds what browsers may do with the content. 304 has none: what they have is
// guarded already, and of what is asked for most often not a word too many is sent.
type guardedAnswer struct {
	http.ResponseWriter
	started bool
}

func (g *guardedAnswer) WriteHeader(status int) {
	if !g.started && status >= http.StatusOK {
		g.started = true
		if status != http.StatusNotModified {
			g.guard(g.Header())
		}
	}
	g.ResponseWriter.WriteHeader(status)
}

func (g *guardedAnswer) guard(h http.Header) {
	h["X-Content-Type-Options"] = noSniff
	h["Referrer-Policy"] = sameReferrer
	h["Cross-Origin-Opener-Policy"] = sameOpener
	if h["Content-Security-Policy"] == nil {
		h["Content-Security-Policy"] = noContent
	}
}

func (g *guardedAnswer) Write(b []byte) (int, error) {
	if !g.started {
		g.WriteHeader(http.StatusOK)
	}
	return g.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (g *guardedAnswer) Unwrap() http.ResponseWriter { return g.ResponseWriter }

// newRequestID is a name that no other request has. The generator of math/rand/v2 is
// ChaCha8 with a seed of the system's, and asks the system for nothing afterwards.
func newRequestID() string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	var text [24]byte
	hex.Encode(text[:], id[:12])
	return string(text[:])
}

// limitHead refuses a request line or headers over their limits before anything looks at
// them. Of headers that are longer still the server reads none, and says so in its own way.
func limitHead(next http.Handler, overTLS bool) http.Handler {
	refuse := func(p *problemError) http.Handler {
		return withHeaders(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path, r.URL.RawPath = "", ""
			writeProblem(w, r, p)
		}), overTLS)
	}
	address := refuse(problem(uriTooLong, fmt.Sprintf("Địa chỉ dài quá %d byte.", maxAddressBytes),
		fmt.Sprintf("The address is longer than %d bytes.", maxAddressBytes)))
	headers := refuse(problem(headersTooLarge, fmt.Sprintf("Các tiêu đề dài quá %d byte.", maxHeaderBytes),
		fmt.Sprintf("The headers are longer than %d bytes together.", maxHeaderBytes)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case len(r.Method)+len(r.RequestURI) > maxAddressBytes:
			address.ServeHTTP(w, r)
		case headerBytes(r) > maxHeaderBytes:
			headers.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// headerBytes is how long the headers were as they came, "Name: value" in a line each.
func headerBytes(r *http.Request) int {
	const line = len(": \r\n")
	n := len("Host") + len(r.Host) + line
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + line
		}
	}
	return n
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status  int
	bytes   int64
	started bool
	pattern string // of the route that serves it
}

func (rec *recorder) WriteHeader(status int) {
	if !rec.started && status >= http.StatusOK {
		rec.started, rec.status = true, status
	}
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(b []byte) (int, error) {
	if !rec.started {
		rec.started, rec.status = true, http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(b)
	rec.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// underway is what there is of a request while it is answered, and its context, in one
// piece of memory.
type underway struct {
	workContext
	rec    recorder
	routed chi.Context // the router fills it in; here because it is read after the router
	asking account.Asking
}

// within makes it the context of the work that is done in ctx.
func (of *underway) within(ctx context.Context) context.Context {
	of.Context = ctx
	return of
}

// Value implements context.Context.
func (of *underway) Value(key any) any {
	if key == any(chi.RouteCtxKey) {
		return &of.routed
	}
	return of.workContext.Value(key)
}

// observe logs and counts every request, once, and turns a panic into a problem
// that says nothing of its cause. A panic in the middle of an answer aborts it.
func (a *api) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		of := &underway{rec: recorder{ResponseWriter: w}, asking: account.Asking{Request: w.Header().Get(requestIDHeader)}}
		r = r.WithContext(of.within(account.WithAsking(r.Context(), &of.asking)))
		rec := &of.rec
		a.metrics.running.Inc()
		defer of.end()
		defer func() {
			caught := recover()
			if caught != nil && caught != any(http.ErrAbortHandler) {
				a.Log.ErrorContext(r.Context(), "panic", "request_id", w.Header().Get(requestIDHeader), "cause", fmt.Sprint(caught), "stack", string(debug.Stack()))
				if !rec.started {
					a.writeProblem(rec, r, problemPanicked())
					caught = nil
				}
			}
			if rec.pattern == "" { // OPTIONS, and what no route serves
				rec.pattern = of.routed.RoutePattern()
			}
			a.account(r, rec, time.Since(start))
			if caught != nil {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

func problemPanicked() error { return fmt.Errorf("a handler panicked") }

// account writes the log line and the figures of one request.
func (a *api) account(r *http.Request, rec *recorder, took time.Duration) {
	a.metrics.running.Dec()
	if rec.pattern == "" {
		rec.pattern = "other" // the page, or no route
	}
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	a.metrics.observe(r.Method, rec.pattern, rec.status, took)
	a.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("method", r.Method), slog.String("route", rec.pattern), slog.Int("status", rec.status),
		slog.Int64("us", took.Microseconds()), slog.Int64("bytes", rec.bytes),
		slog.String("request_id", rec.Header().Get(requestIDHeader)))
}
