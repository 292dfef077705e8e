package localdb_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hatang/internal/localdb"
)

func TestOtherMajorVersion(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	c := open(t, dir)
	closeIt(t, c)
	version := filepath.Join(c.DataDir(), "PG_VERSION")
	if err := os.WriteFile(version, []byte("11\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := localdb.Open(testCtx(t), localdb.Options{Dir: dir})
	var ve *localdb.VersionError
	if !errors.As(err, &ve) || ve.Want != 11 || len(ve.Installed) == 0 || !strings.Contains(err.Error(), "install PostgreSQL 11") {
		t.Errorf("got %v, want a VersionError for 11", err)
	}
}

func TestForeignFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "holiday.jpg"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := localdb.Open(testCtx(t), localdb.Options{Dir: dir})
	if !errors.Is(err, localdb.ErrForeign) || !strings.Contains(err.Error(), "holiday.jpg") {
		t.Errorf("got %v, want ErrForeign", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("the foreign folder was touched: %v %v", left, err)
	}
}

func TestNoPostgreSQL(t *testing.T) {
	t.Parallel()
	_, err := localdb.Open(testCtx(t), localdb.Options{Dir: openDir(t), BinDir: t.TempDir()})
	var me *localdb.MissingError
	if !errors.As(err, &me) || !strings.Contains(err.Error(), "apt-get install postgresql postgis") {
		t.Errorf("got %v, want a MissingError that names the packages", err)
	}
}

// fakePrograms makes a folder with shell scripts in place of PostgreSQL's programs.
func fakePrograms(t *testing.T, scripts map[string]string) string {
	t.Helper()
	share := filepath.Join(openDir(t), "share")
	bin := filepath.Join(filepath.Dir(share), "bin")
	for _, d := range []string{filepath.Join(share, "extension"), bin} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(share, "extension/postgis.control"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	scripts["pg_config"] = "echo " + share
	for name, body := range scripts {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

func TestDiskFullWhileMakingTheCluster(t *testing.T) {
	t.Parallel()
	bin := fakePrograms(t, map[string]string{
		"postgres": "echo 'postgres (PostgreSQL) 15.18'",
		"initdb":   `for a; do case $a in --pgdata=*) touch "${a#--pgdata=}/half";; esac; done; echo 'could not write: No space left on device' >&2; exit 1`,
	})
	dir := openDir(t)
	_, err := localdb.Open(testCtx(t), localdb.Options{Dir: dir, BinDir: bin})
	if !errors.Is(err, localdb.ErrNoSpace) || !strings.Contains(err.Error(), "No space left") {
		t.Errorf("got %v, want ErrNoSpace", err)
	}
	for _, half := range []string{"data", "data.new"} {
		if _, err := os.Stat(filepath.Join(dir, half)); !os.IsNotExist(err) {
			t.Errorf("%s remains: %v", half, err)
		}
	}
	if got := mustAsk(t, open(t, dir).OwnerURL(), "SELECT 'room again'"); got != "room again" {
		t.Errorf("got %q", got)
	}
}

func TestServerThatDoesNotStart(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	c := open(t, dir)
	closeIt(t, c)
	local := filepath.Join(dir, "conf/local.conf")
	if err := os.WriteFile(local, []byte("shared_buffers = nonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := localdb.Open(testCtx(t), localdb.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "shared_buffers") {
		t.Errorf("got %v, want what PostgreSQL said", err)
	}
	if err := os.Remove(local); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestSocketPathTooLong(t *testing.T) {
	t.Parallel()
	dir := openDir(t) + strings.Repeat("x", 120)
	c := open(t, dir)
	if strings.Contains(c.OwnerURL(), dir) || mustAsk(t, c.AppURL(), "SELECT 'far'") != "far" {
		t.Errorf("the socket lies in the long folder: %s", c.OwnerURL())
	}
	socket := strings.Split(c.OwnerURL(), "'")[1]
	info, err := os.Stat(socket)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("socket folder: %v %v, want mode 0700", info, err)
	}
	if joined := open(t, dir); joined.OwnerURL() != c.OwnerURL() {
		t.Errorf("a second command looks for the socket elsewhere: %s", joined.OwnerURL())
	} else {
		closeIt(t, joined)
	}
	closeIt(t, c)
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket's folder remains: %v", err)
	}
}

func TestNamesWithMeaningInConfiguration(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), `Điện Biên, it's "x"`)
	c := open(t, dir)
	if got := mustAsk(t, c.OwnerURL(), "SELECT 'odd'"); got != "odd" || c.DataDir() != filepath.Join(dir, "data") {
		t.Errorf("got %q from %s", got, c.DataDir())
	}
}

// Under root a parent closed to the server's user sends the cluster to /var/lib/hatang; an
// ordinary user is let into his own folders and keeps it there.
func TestParentClosedToTheServer(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	c := openClosed(t, dir)
	execute(t, c.OwnerURL(), "CREATE TABLE old (id int)")
	if again := open(t, dir); again.DataDir() != c.DataDir() {
		t.Errorf("a second command finds %s, the first %s", again.DataDir(), c.DataDir())
	} else {
		closeIt(t, again)
	}
	closeIt(t, c)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	fresh := openClosed(t, dir)
	if got := mustAsk(t, fresh.OwnerURL(), "SELECT coalesce(to_regclass('old')::text, 'gone')"); got != "gone" {
		t.Errorf("the folder was deleted, but its table came back: %s", got)
	}
	closeIt(t, fresh)
}

// openClosed opens a cluster whose folder is closed to the user postgres, and checks where it lies.
func openClosed(t *testing.T, dir string) *localdb.Cluster {
	t.Helper()
	c := open(t, dir)
	home := filepath.Dir(c.DataDir())
	if os.Geteuid() != 0 {
		if home != dir {
			t.Errorf("the cluster lies in %s, want %s", home, dir)
		}
		return c
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) }) // openDir reports what it cannot remove; this one is outside
	raw, err := os.ReadFile(filepath.Join(dir, "cluster"))
	if err != nil {
		t.Fatal(err)
	}
	if home != strings.TrimSpace(string(raw)) || !strings.HasPrefix(home, "/var/lib/hatang/") {
		t.Errorf("the cluster lies in %s, the pointer says %q", home, raw)
	}
	return c
}
