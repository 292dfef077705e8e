package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"hatang/geo"
	"hatang/internal/layer"
)

//go:embed all:dist
var built embed.FS

// Options says what the page shows beside the layers.
type Options struct {
	// ReferenceDate returns the day that answers are for when none is asked. Required.
	ReferenceDate func() geo.Date
	// TimeZone is the one of the register, as Asia/Ho_Chi_Minh, in which the page shows times;
	// "" for that of whoever looks.
	TimeZone string
	// BasemapURL is an XYZ tile template such as "https://tiles.example/{z}/{x}/{y}.png".
	// Empty means no base map, and then the page asks no other host for anything.
	BasemapURL string
	// Attribution is the plain text shown for the base map.
	Attribution string
	// Version is the program's, shown in the page's footer.
	Version string
	// Grid is the projected grid in which the pointer's place is shown beside
	// longitude and latitude; nil for none.
	Grid *Grid
}

// page serves the bundle in files and the description of the registry.
type page struct {
	files    fs.FS
	registry *layer.Registry
	options  Options
	policy   string
	etags    map[string]string // by path in files
}

// New returns the handler of "/", "/assets/…" and "/ui/layers.json". It fails on
// options that cannot work: no reference date, or a base map that is no http(s) URL.
// A program built without the page answers "/" with 503 and how to build it.
func New(registry *layer.Registry, o Options) (http.Handler, error) {
	files, err := fs.Sub(built, "dist")
	if err != nil {
		return nil, fmt.Errorf("web: the embedded page: %w", err)
	}
	return newPage(files, registry, o)
}

func newPage(files fs.FS, registry *layer.Registry, o Options) (http.Handler, error) {
	if registry == nil || o.ReferenceDate == nil {
		return nil, errors.New("web: a registry and a reference date are needed")
	}
	policy, err := contentPolicy(o.BasemapURL)
	if err != nil {
		return nil, err
	}
	etags, err := hashFiles(files)
	if err != nil {
		return nil, err
	}
	return &page{files: files, registry: registry, options: o, policy: policy, etags: etags}, nil
}

// APIAssets returns the addresses of what the API's own pages need of the bundle, as New
// serves them: the script of their maps, their style sheet, the icon. What is not built
// is "".
func APIAssets() (script, style, icon string) {
	return assetNamed("api-map-*.js"), assetNamed("api-style-*.css"), assetNamed("icon-*.svg")
}

// assetNamed is the address of the one file of the bundle that fits a pattern.
func assetNamed(pattern string) string {
	// The only error is that of a bad pattern.
	if names, _ := fs.Glob(built, "dist/assets/"+pattern); len(names) == 1 {
		return strings.TrimPrefix(names[0], "dist")
	}
	return ""
}

// contentPolicy allows the page its own host, and images of the base map's host.
func contentPolicy(basemap string) (string, error) {
	images := "'self' data:"
	if basemap != "" {
		u, err := url.Parse(basemap)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.ContainsAny(u.Host, "; ,'{}") {
			return "", fmt.Errorf("web: the base map %q is not an http or https address", basemap)
		}
		images += " " + u.Scheme + "://" + u.Host
	}
	return "default-src 'self'; img-src " + images +
		"; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'", nil
}

// hashFiles returns a strong ETag for every file, so that a page is sent once.
func hashFiles(files fs.FS) (map[string]string, error) {
	etags := map[string]string{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		etags[name] = etag(data)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("web: the embedded page: %w", err)
	}
	return etags, nil
}

func etag(data []byte) string {
	sum := sha256.Sum256(data)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// ServeHTTP answers GET and HEAD; other methods are 405 and unknown paths 404, in
// plain words: the server around it turns both into problem documents.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the page is only read: use GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	switch {
	case r.URL.Path == "/":
		p.index(w, r)
	case r.URL.Path == "/ui/layers.json":
		p.describe(w, r)
	case strings.HasPrefix(r.URL.Path, "/assets/"):
		p.asset(w, r)
	default:
		http.NotFound(w, r)
	}
}

// index serves the page itself, always revalidated, so that a new version of the
// program shows at the next visit.
func (p *page) index(w http.ResponseWriter, r *http.Request) {
	data, err := fs.ReadFile(p.files, "index.html")
	if err != nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, unbuilt)
		return
	}
	w.Header().Set("Content-Security-Policy", p.policy)
	w.Header().Set("Referrer-Policy", "same-origin")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", p.etags["index.html"])
	serve(w, r, "index.html", data)
}

// asset serves a file whose name holds a hash of its content: it never changes.
func (p *page) asset(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/") // a name with ".." is no valid one and is not found
	data, err := fs.ReadFile(p.files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("ETag", p.etags[name])
	serve(w, r, name, data)
}

// describe serves what the registry holds, as the page needs it.
func (p *page) describe(w http.ResponseWriter, r *http.Request) {
	data, err := json.Marshal(describe(p.registry, p.options))
	if err != nil {
		http.Error(w, "the list of layers could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", etag(data))
	serve(w, r, "layers.json", data)
}

// serve sends data with its length and type, answering conditional requests.
func serve(w http.ResponseWriter, r *http.Request, name string, data []byte) {
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
}

const unbuilt = "Trang bản đồ chưa được biên dịch vào chương trình; hãy chạy make build. API vẫn hoạt động tại /api/v1.\n" +
	"The map page is not built into this program: run make build. The API works at /api/v1."
