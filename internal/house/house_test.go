package house_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the repository's root, as seen from this package.
const root = "../.."

// room says what the program files of a folder may import. Ours: import paths without the module's
// name, a trailing "/..." meaning all below. Foreign modules and packages of the standard library are free
// unless denied; with pure set, only those listed in foreign are allowed.
type room struct {
	ours    []string
	denied  []string
	pure    bool
	foreign []string
}

var (
	io    = []string{"net", "os", "io/fs", "database/sql", "log", "log/slog", "syscall"}
	math  = []string{"github.com/paulmach/orb", "github.com/tidwall/geodesic", "github.com/tidwall/rtree", "github.com/wroge/wgs84", "github.com/peterstace/simplefeatures"}
	sql   = []string{"github.com/jackc/pgx", "database/sql", "github.com/pressly/goose"}
	web   = []string{"net/http", "github.com/go-chi/chi"}
	rooms = map[string]room{
		"geo":              {ours: []string{"geo/..."}, denied: io, pure: true, foreign: math},
		"geo/coverage":     {ours: []string{"geo/..."}, denied: io, pure: true, foreign: math},
		"geo/zoning":       {ours: []string{"geo/..."}, denied: io, pure: true, foreign: math},
		"geo/sharing":      {ours: []string{"geo/..."}, denied: io, pure: true, foreign: math},
		"api":              {denied: append(sql, web...)},
		"migrations":       {denied: append(sql, web...)},
		"internal/house":   {},
		"internal/layer":   {ours: []string{"geo/..."}, denied: append(sql, web...)},
		"internal/filter":  {denied: append(sql, web...)},
		"internal/account": {ours: []string{"geo/...", "internal/layer"}, denied: append(sql, "github.com/go-chi/chi")}, // a client of sign-in providers
		"internal/permit":  {ours: []string{"geo/...", "internal/layer", "internal/account"}, denied: append(sql, web...)},
		"internal/notice":  {ours: []string{"geo/...", "internal/layer", "internal/account", "internal/permit"}, denied: append(sql, "github.com/go-chi/chi")}, // a client of webhooks
		"internal/plan":    {ours: []string{"geo/...", "internal/layer", "internal/account", "internal/permit"}, denied: append(sql, web...)},
		"internal/formats": {ours: []string{"geo/...", "internal/layer"}, denied: append([]string{"github.com/jackc/pgx", "github.com/pressly/goose"}, web...)},                     // a GeoPackage is a database in a file
		"internal/tables":  {ours: []string{"geo/...", "internal/layer", "internal/formats"}, denied: append([]string{"github.com/jackc/pgx", "github.com/pressly/goose"}, web...)}, // as formats
		"internal/intake":  {ours: []string{"geo/...", "internal/layer", "internal/tables"}, denied: append(sql, web...)},
		"internal/tiles":   {ours: []string{"geo/...", "internal/layer"}, denied: append(io, append(sql, web...)...), pure: true, foreign: math},
		"internal/papers":  {ours: []string{"geo/...", "internal/layer", "internal/account", "internal/permit", "internal/plan"}, denied: append(io, append(sql, web...)...)},
		"internal/memory":  {ours: []string{"geo/...", "internal/layer", "internal/account", "internal/tiles"}, denied: append(sql, web...)},
		"internal/localdb": {denied: web},
		"internal/postgis": {ours: []string{"geo/...", "migrations", "internal/layer", "internal/filter", "internal/plan", "internal/permit", "internal/memory", "internal/account", "internal/intake"},
			denied: web},
		"internal/httpapi": {ours: []string{"geo/...", "api", "internal/layer", "internal/filter", "internal/formats", "internal/tables", "internal/intake", "internal/tiles", "internal/plan", "internal/permit", "internal/papers", "internal/account"},
			denied: sql},
		"internal/testdb": {ours: []string{"internal/localdb"}, denied: web},
		"internal/web":    {ours: []string{"geo/...", "internal/layer"}, denied: sql},
		"cmd/hatang":      {ours: []string{"..."}},
	}
	// top is everything that may stand in the repository's root, whoever made it.
	top = []string{
		".ci", ".dockerignore", ".git", ".gitattributes", ".gitignore", ".golangci.yml", ".hatang",
		"CHANGELOG.md", "CONTRIBUTING.md", "Dockerfile", "LICENSE", "Makefile", "README.md", "api", "bin", "build", "cmd",
		"docker-compose.yml", "docs", "geo", "go.mod", "go.sum", "internal", "migrations",
	}
)

func TestTopOfTheHouse(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(top, e.Name()) {
			t.Errorf("%s stands at the top of the repository; its rooms are those of the README", e.Name())
		}
	}
}

func TestWhoImportsWhom(t *testing.T) {
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "bin") {
			return filepath.SkipDir
		}
		// Tests may know more: they check one room against another.
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		files++
		return checkFile(t, path)
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Errorf("only %d files seen: the test looks in the wrong place", files)
	}
}

func checkFile(t *testing.T, path string) error {
	t.Helper()
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	dir := filepath.ToSlash(filepath.Dir(rel))
	r, ok := roomOf(dir)
	if !ok {
		t.Errorf("%s is no room of the house: add it to the table in internal/house, or put the file elsewhere", dir)
		return nil
	}
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	for _, spec := range f.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if why := r.refuses(dir, imp); why != "" {
			t.Errorf("%s imports %s: %s", rel, imp, why)
		}
	}
	return nil
}

// roomOf returns the rules for a folder: its own, or those of the nearest folder above.
func roomOf(dir string) (room, bool) {
	for d := dir; d != "."; d = filepath.Dir(d) {
		if r, ok := rooms[d]; ok {
			return r, true
		}
	}
	return room{}, false
}

// refuses says why a file in dir may not import imp; empty if it may.
func (r room) refuses(dir, imp string) string {
	if own, ok := strings.CutPrefix(imp, "hatang/"); ok {
		if slices.ContainsFunc(r.ours, func(p string) bool { return matches(p, own) }) || below(own, dir) {
			return ""
		}
		return "this room does not know that one"
	}
	if slices.ContainsFunc(r.denied, func(p string) bool { return below(imp, p) }) {
		return "this room does not do that"
	}
	foreign := strings.Contains(strings.SplitN(imp, "/", 2)[0], ".")
	if r.pure && foreign && !slices.ContainsFunc(r.foreign, func(p string) bool { return below(imp, p) }) {
		return "only pure computational libraries are welcome here"
	}
	return ""
}

func matches(pattern, path string) bool {
	base, all := strings.CutSuffix(pattern, "...")
	base = strings.TrimSuffix(base, "/")
	return path == base || all && (base == "" || below(path, base))
}

func below(path, base string) bool { return path == base || strings.HasPrefix(path, base+"/") }

// The table can refuse: without this a mistake in it would look like a clean house.
func TestRulesBite(t *testing.T) {
	for _, c := range []struct {
		dir, imp string
		refused  bool
	}{
		{"geo", "net/http", true},
		{"geo/zoning", "os", true},
		{"geo/zoning", "hatang/geo", false},
		{"geo", "hatang/internal/layer", true},
		{"geo", "github.com/jackc/pgx/v5", true},
		{"geo", "github.com/wroge/wgs84/v2", false},
		{"geo/internal/pip", "log/slog", true},
		{"internal/httpapi", "hatang/internal/postgis", true},
		{"internal/httpapi", "github.com/jackc/pgx/v5/pgxpool", true},
		{"internal/httpapi", "net/http", false},
		{"internal/postgis", "net/http/httputil", true},
		{"internal/postgis", "hatang/internal/layer", false},
		{"internal/layer", "hatang/geo", false},
		{"internal/filter", "hatang/geo", true},
		{"internal/account", "net/http", false},
		{"internal/account", "github.com/go-chi/chi/v5", true},
		{"internal/account", "github.com/jackc/pgx/v5", true},
		{"internal/localdb", "hatang/internal/layer", true},
		{"cmd/hatang", "hatang/internal/localdb", false},
	} {
		r, ok := roomOf(c.dir)
		if why := r.refuses(c.dir, c.imp); !ok || (why != "") != c.refused {
			t.Errorf("%s importing %s: refused %q, want refused %t", c.dir, c.imp, why, c.refused)
		}
	}
}
