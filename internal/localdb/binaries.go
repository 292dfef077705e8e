package localdb

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// BinEnv is the environment variable that names the folder of initdb and postgres.
const BinEnv = "HATANG_PG_BIN"

// minMajor is the oldest PostgreSQL major version Hatang works with.
const minMajor = 14

// install is one PostgreSQL installation that has PostGIS.
type install struct {
	bin   string // folder of initdb and postgres
	major int
}

// binPatterns are where distributions and Homebrew put PostgreSQL's programs.
var binPatterns = [...]string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/usr/local/pgsql/bin",
}

var versionOf = regexp.MustCompile(`PostgreSQL\) (\d+)`)

// findInstalls returns the installations with PostGIS, newest first. An explicit
// folder, or the one BinEnv names, is the only one considered.
func findInstalls(ctx context.Context, explicit string) ([]install, error) {
	if explicit == "" {
		explicit = os.Getenv(BinEnv)
	}
	dirs, looked := candidates(ctx, explicit)
	var found []install
	noPostGIS := ""
	for _, dir := range dirs {
		major, err := majorOf(ctx, dir)
		if err != nil || major < minMajor {
			continue
		}
		if !hasPostGIS(ctx, dir, major) {
			noPostGIS = dir
			continue
		}
		found = append(found, install{bin: dir, major: major})
	}
	if len(found) > 0 {
		slices.SortStableFunc(found, func(a, b install) int { return b.major - a.major })
		return found, nil
	}
	if noPostGIS != "" {
		return nil, &MissingError{What: "PostGIS for the PostgreSQL in " + noPostGIS}
	}
	return nil, &MissingError{What: fmt.Sprintf("PostgreSQL %d or newer with PostGIS", minMajor), Looked: looked}
}

// candidates lists the folders that may hold PostgreSQL, and the patterns looked at.
func candidates(ctx context.Context, explicit string) (dirs, looked []string) {
	if explicit != "" {
		return []string{explicit}, []string{explicit}
	}
	for _, p := range binPatterns {
		m, err := filepath.Glob(p)
		if err == nil {
			dirs = append(dirs, m...)
		}
	}
	if pc, err := exec.LookPath("pg_config"); err == nil {
		if out, err := exec.CommandContext(ctx, pc, "--bindir").Output(); err == nil {
			dirs = append(dirs, strings.TrimSpace(string(out)))
		}
	}
	if pg, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(pg))
	}
	return dirs, append(binPatterns[:len(binPatterns):len(binPatterns)], "PATH")
}

// majorOf asks the server program in dir for its major version.
func majorOf(ctx context.Context, dir string) (int, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0, err
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("ask %s for its version: %w", dir, err)
	}
	m := versionOf.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s: unreadable version %q", dir, out)
	}
	return strconv.Atoi(string(m[1]))
}

// hasPostGIS says whether the extension's control file lies in the share folder of the
// installation. pg_config may be absent (it is a package of its own on some systems).
func hasPostGIS(ctx context.Context, dir string, major int) bool {
	shares := []string{
		fmt.Sprintf("/usr/share/postgresql/%d", major),
		filepath.Join(dir, "../share"),
		filepath.Join(dir, "../share/postgresql"),
		filepath.Join(dir, fmt.Sprintf("../share/postgresql@%d", major)),
	}
	if out, err := exec.CommandContext(ctx, filepath.Join(dir, "pg_config"), "--sharedir").Output(); err == nil {
		shares = []string{strings.TrimSpace(string(out))}
	}
	return slices.ContainsFunc(shares, func(s string) bool {
		_, err := os.Stat(filepath.Join(s, "extension/postgis.control"))
		return err == nil
	})
}

// chooseInstall returns the installation for a data folder: the newest one when the folder
// is still to be made, otherwise the one of the major version that wrote it.
func chooseInstall(installs []install, data string) (install, error) {
	raw, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if os.IsNotExist(err) {
		return installs[0], nil
	}
	if err != nil {
		return install{}, fmt.Errorf("read the version of the data folder: %w", err)
	}
	want, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return install{}, fmt.Errorf("%s: unreadable PG_VERSION %q", data, raw)
	}
	majors := make([]int, 0, len(installs))
	for _, in := range installs {
		if in.major == want {
			return in, nil
		}
		majors = append(majors, in.major)
	}
	return install{}, &VersionError{DataDir: data, Want: want, Installed: majors}
}
