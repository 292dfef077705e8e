package localdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// settings are the server's settings beside the paths. Many connections, small queries with
// indexes, no parallel plans (two cores serve many clients), and statements kept out of the
// logs because they hold people's data.
const settings = `listen_addresses = ''
unix_socket_permissions = 0700
shared_buffers = 256MB
jit = off
fsync = on
full_page_writes = on
wal_level = replica
random_page_cost = 1.1
max_parallel_workers_per_gather = 0
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_filename = 'postgresql-%Y-%m-%d_%H%M%S.log'
log_file_mode = 0600
log_rotation_age = 1d
log_rotation_size = 10MB
log_truncate_on_rotation = on
log_statement = none
log_min_duration_statement = -1
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off
`

// connections is how many connections, and so processes, the server has on a machine of so
// many cores: what two processes that serve may take (2 × cores + 2 each, and a few beside),
// and some commands.
func connections(cores int) int { return 48 + 6*cores }

const head = "# Written by hatang at every start; changes here are lost.\n"

// maxSocketPath is what sun_path holds on Linux without its closing zero byte, in bytes.
const maxSocketPath = 107

const (
	socketName = ".s.PGSQL.5432" // PostgreSQL's name for the socket of port 5432
	socketNote = "socket"        // file in home: where the socket is, if not in run/
)

// writeConfig writes the configuration for a server that listens in the folder socket and
// lets the given operating-system users in.
func (p place) writeConfig(socket string, users []string) error {
	if err := os.Mkdir(p.conf(), 0o750); err != nil && !os.IsExist(err) {
		return fmt.Errorf("make the configuration folder: %w", noSpace(err))
	}
	if p.cred != nil {
		if err := os.Lchown(p.conf(), -1, int(p.cred.Gid)); err != nil {
			return fmt.Errorf("open the configuration to %s: %w", p.user, err)
		}
	}
	at := func(name string) string { return filepath.Join(p.conf(), name) }
	main := head + "# Your own settings belong into local.conf beside this file.\n" +
		setting("data_directory", p.data()) + setting("hba_file", at("pg_hba.conf")) +
		setting("ident_file", at("pg_ident.conf")) + setting("unix_socket_directories", `"`+socket+`"`) +
		setting("log_directory", p.logs()) + settings + fmt.Sprintf("max_connections = %d\n", connections(runtime.NumCPU())) + "include_if_exists " + quote(at("local.conf")) + "\n"
	files := []struct{ name, text string }{
		{"postgresql.conf", main},
		{"pg_hba.conf", head + "local all all peer map=hatang\n"},
		{"pg_ident.conf", head + identMap(users)},
	}
	for _, f := range files {
		if err := writeFile(at(f.name), f.text, 0o640, p.cred); err != nil {
			return err
		}
	}
	return nil
}

// identMap lets each operating-system user in as the owner and as the serving role.
func identMap(users []string) string {
	var b strings.Builder
	for _, u := range slices.Compact(slices.Sorted(slices.Values(users))) {
		if u == "" {
			continue
		}
		for _, role := range []string{ownerRole, appRole} {
			fmt.Fprintf(&b, "hatang %q %s\n", u, role)
		}
	}
	return b.String()
}

func setting(name, value string) string { return name + " = " + quote(value) + "\n" }

// quote writes a string as PostgreSQL's configuration files want it.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(s) + "'"
}

// fitsSocket says whether a socket can lie in dir: its path fits the kernel's limit and no
// character in it has a meaning to PostgreSQL's or pgx's lists of hosts.
func fitsSocket(dir string) bool {
	return len(filepath.Join(dir, socketName)) <= maxSocketPath && !strings.ContainsAny(dir, ",\"'\\\n")
}

// socketDir returns the folder of the running cluster's socket.
func (p place) socketDir() (string, error) {
	raw, err := os.ReadFile(filepath.Join(p.home, socketNote))
	if errors.Is(err, os.ErrNotExist) {
		return filepath.Join(p.home, "run"), nil
	}
	if err != nil {
		return "", fmt.Errorf("read where the socket is: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// makeSocketDir makes the folder of the socket: run/ in home or, where that path is too long, a
// private folder with a name nobody can foresee under /tmp. It lives until the cluster stops.
func (p place) makeSocketDir() (string, error) {
	if run := filepath.Join(p.home, "run"); fitsSocket(run) {
		return run, p.makeDir(run)
	}
	if dir, err := p.socketDir(); err != nil {
		return "", err
	} else if uid, err := ownerOf(dir); err == nil && fitsSocket(dir) && p.runsAs(uid) {
		return dir, nil
	}
	dir, err := os.MkdirTemp("/tmp", "hatang-")
	if err != nil {
		return "", fmt.Errorf("make a folder for the socket: %w", noSpace(err))
	}
	if err := p.makeDir(dir); err != nil {
		return "", fmt.Errorf("make a folder for the socket: %w", err)
	}
	return dir, writeFile(filepath.Join(p.home, socketNote), dir+"\n", 0o600, nil)
}

func (p place) runsAs(uid uint32) bool {
	if p.cred != nil {
		return uid == p.cred.Uid
	}
	return int(uid) == os.Geteuid()
}

// dropSocketDir removes a socket folder outside home once the cluster has stopped.
func (p place) dropSocketDir() error {
	dir, err := p.socketDir()
	if err != nil || dir == filepath.Join(p.home, "run") {
		return err
	}
	return errors.Join(os.RemoveAll(dir), os.Remove(filepath.Join(p.home, socketNote)))
}
