package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/klauspost/compress/gzhttp"
)

// Limits of every request; the OpenAPI document names them.
const (
	maxAddressBytes = 16 << 10         // request line
	maxHeaderBytes  = 64 << 10         // all headers
	maxBodyBytes    = 10 << 20         // JSON body
	requestTime     = 30 * time.Second // work on one answer
)

const requestIDHeader = "X-Request-Id"

// Server returns a server for the handler with the limits that keep slow and
// greedy clients from holding it.
func Server(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr: addr, Handler: h,
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       5 * time.Minute,
		WriteTimeout:      5 * time.Minute,
		IdleTimeout:       time.Minute,
	}
}

// withHeaders sets what every answer carries, 4xx and 5xx included.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set(requestIDHeader, newRequestID())
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Vary", "Accept, Accept-Encoding, Accept-Language, Authorization")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "Allow, Content-Crs, Content-Language, ETag, Link, Location, Retry-After, WWW-Authenticate, X-Request-Id")
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "Accept, Accept-Language, Authorization, Content-Crs, Content-Type, If-Match, If-None-Match")
			h.Set("Access-Control-Max-Age", "86400")
		}
		next.ServeHTTP(w, r)
	})
}

func newRequestID() string {
	var id [12]byte
	// crypto/rand.Read never fails: it ends the program when the system has no randomness.
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// limitAddress refuses a request line over its limit before anything looks at it.
func limitAddress(next http.Handler) http.Handler {
	refuse := withHeaders(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path, r.URL.RawPath = "", ""
		writeProblem(w, r, problem(uriTooLong, fmt.Sprintf("Địa chỉ dài quá %d byte.", maxAddressBytes),
			fmt.Sprintf("The address is longer than %d bytes.", maxAddressBytes)))
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Method)+len(r.RequestURI) > maxAddressBytes {
			refuse.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// newCompressor serves gzip to those who ask. HEAD and ranges go past it: their
// Content-Length is what they are sent for. It fails only on options that cannot work.
func newCompressor() (func(http.Handler) http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.CompressionLevel(1), gzhttp.EnableZstd(false),
		gzhttp.ContentTypes([]string{typeJSON, typeGeoJSON, typeSchema, "application/vnd.oai.openapi+json",
			"application/problem+json", "text/html", "text/css", "text/javascript", "text/plain", "image/svg+xml"}))
	if err != nil {
		return nil, fmt.Errorf("set up compression: %w", err)
	}
	return func(next http.Handler) http.Handler {
		gzip := wrap(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead || r.Header.Get("Range") != "" {
				next.ServeHTTP(w, r)
				return
			}
			gzip.ServeHTTP(w, r)
		})
	}, nil
}

// withTimeout ends the work on a request that takes too long.
func withTimeout(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), requestTime)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status  int
	bytes   int64
	started bool
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

// observe logs and counts every request, once, and turns a panic into a problem
// that says nothing of its cause. A panic in the middle of an answer aborts it.
func (a *api) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		// The router fills this in; made here because it is read after the router.
		routed := chi.NewRouteContext()
		r = r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, routed))
		rec := &recorder{ResponseWriter: w}
		a.metrics.running.Inc()
		defer func() {
			caught := recover()
			if caught != nil && caught != any(http.ErrAbortHandler) {
				a.Log.ErrorContext(r.Context(), "panic", "request_id", w.Header().Get(requestIDHeader), "cause", fmt.Sprint(caught), "stack", string(debug.Stack()))
				if !rec.started {
					writeProblem(rec, r, problemPanicked())
					caught = nil
				}
			}
			a.account(r, rec, routed.RoutePattern(), time.Since(start))
			if caught != nil {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

func problemPanicked() error { return fmt.Errorf("a handler panicked") }

// account writes the log line and the figures of one request.
func (a *api) account(r *http.Request, rec *recorder, pattern string, took time.Duration) {
	a.metrics.running.Dec()
	if pattern == "" {
		pattern = "other" // the page, or no route
	}
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	a.metrics.observe(r.Method, pattern, rec.status, took)
	a.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("method", r.Method), slog.String("route", pattern), slog.Int("status", rec.status),
		slog.Float64("ms", float64(took.Microseconds())/1000), slog.Int64("bytes", rec.bytes),
		slog.String("request_id", rec.Header().Get(requestIDHeader)))
}
