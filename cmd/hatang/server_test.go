package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// server is a running `hatang serve`.
type server struct {
	dir, url, key string
	cmd           *exec.Cmd
	errFile       string
	ended         chan struct{} // closed when the process has ended
	code          int
}

// launch starts a server on a data folder and waits for its first answer.
func launch(dir string, args ...string) (*server, error) {
	path, err := program()
	if err != nil {
		return nil, err
	}
	return launchCommand(dir, path, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", dir}, args...)...)
}

func launchCommand(dir, path string, args ...string) (*server, error) {
	logs, err := os.MkdirTemp(os.Getenv(workDir), "log")
	if err != nil {
		return nil, err
	}
	outFile, errFile := filepath.Join(logs, "out"), filepath.Join(logs, "err")
	stdout, err := os.Create(outFile)
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	stderr, err := os.Create(errFile)
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	s := &server{dir: dir, cmd: exec.Command(path, args...), errFile: errFile, ended: make(chan struct{})}
	s.cmd.Stdout, s.cmd.Stderr = stdout, stderr
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // the code says it
		s.code = s.cmd.ProcessState.ExitCode()
		close(s.ended)
	}()
	return s, s.awaitAnswer(outFile)
}

// awaitAnswer waits for the line with the address and for an answer there.
func (s *server) awaitAnswer(outFile string) error {
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.ended:
			return fmt.Errorf("serve ended with %d:\n%s", s.code, s.stderr())
		case <-deadline:
			_ = s.cmd.Process.Kill()
			return fmt.Errorf("serve does not come up:\n%s", s.stderr())
		case <-tick.C:
		}
		said, err := os.ReadFile(outFile)
		if err != nil {
			return err
		}
		if _, address, ok := strings.Cut(string(said), "listening on "); ok && strings.HasSuffix(address, "\n") {
			s.url = strings.TrimSpace(address)
			resp, err := http.Get(s.url + "/api/v1")
			if err == nil {
				err = resp.Body.Close()
			}
			return err
		}
	}
}

func (s *server) stderr() string {
	said, err := os.ReadFile(s.errFile)
	if err != nil {
		return err.Error()
	}
	return string(said)
}

// terminate asks the server to stop and returns its exit code.
func (s *server) terminate() int {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return -1
	}
	<-s.ended
	return s.code
}

// serve starts a server on a folder for one test and stops it at its end, when
// nothing of it may be left.
func serve(t *testing.T, dir, key string, args ...string) *server {
	t.Helper()
	s, err := launch(dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	s.key = key
	t.Cleanup(func() { s.stop(t) })
	return s
}

// demo starts a server of its own for one test, with the demonstration.
func demo(t *testing.T) *server {
	t.Helper()
	dir, key := demoDir(t)
	return serve(t, dir, key, "--demo")
}

// stop stops a server that may have been stopped before.
func (s *server) stop(t *testing.T) {
	t.Helper()
	select {
	case <-s.ended:
		return
	default:
	}
	if code := s.terminate(); code != exitDone {
		t.Errorf("serve ended with %d:\n%s", code, s.stderr())
	}
	// PostgreSQL is down when serve ends; its keeper may still be on the way out.
	until(t, "the end of the keeper", func() bool { return len(processesOf(s.dir)) == 0 })
	if strings.Contains(s.stderr(), `"msg":"panic"`) {
		t.Errorf("a handler panicked:\n%s", s.stderr())
	}
}

// processesOf lists the processes that work for a data folder: PostgreSQL's, by
// their working folder, and the keeper, by its arguments.
func processesOf(dir string) (pids []int) {
	cwds, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return nil
	}
	for _, cwd := range cwds {
		pid, err := strconv.Atoi(strings.Split(cwd, "/")[2])
		if err != nil {
			continue
		}
		// Processes end while we look: they are not left.
		where, _ := os.Readlink(cwd)
		args, _ := os.ReadFile(filepath.Join(filepath.Dir(cwd), "cmdline"))
		keeper := bytes.Contains(args, []byte("keep-cluster\x00")) && bytes.Contains(args, []byte(dir))
		if strings.HasPrefix(where, dir+"/") || keeper {
			pids = append(pids, pid)
		}
	}
	return pids
}

// postmaster returns the process id of the server's PostgreSQL; 0 while there is none.
func (s *server) postmaster() int {
	note, err := os.ReadFile(filepath.Join(s.dir, "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(note), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		return 0
	}
	return pid
}

// answer is a complete answer.
type answer struct {
	request string
	status  int
	header  http.Header
	body    []byte
}

// call sends a request; headers are name, value pairs.
func (s *server) call(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	a, err := s.try(t.Context(), method, path, strings.NewReader(body), headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// try is call that returns the error of a connection or of an answer cut off.
func (s *server) try(ctx context.Context, method, path string, body io.Reader, headers ...string) (answer, error) {
	if !strings.HasPrefix(path, "http://") {
		path = s.url + path
	}
	req, err := http.NewRequestWithContext(ctx, method, path, body)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{request: method + " " + path, status: resp.StatusCode, header: resp.Header}
	a.body, err = io.ReadAll(resp.Body)
	return a, err
}

// get fetches a JSON document that must be there.
func (s *server) get(t *testing.T, path string, into any, headers ...string) answer {
	t.Helper()
	a := s.call(t, http.MethodGet, path, "", headers...)
	a.wants(t, http.StatusOK)
	a.read(t, into)
	return a
}

func (a answer) wants(t *testing.T, status int) {
	t.Helper()
	if a.status != status {
		t.Fatalf("%s: status %d, want %d\n%.500s", a.request, a.status, status, a.body)
	}
}

func (a answer) read(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("%s: %v\n%.500s", a.request, err, a.body)
	}
}

// bearer is the header of a key.
func bearer(key string) []string { return []string{"Authorization", "Bearer " + key} }

// ownerURL is the connection string of the schema's owner.
func (s *server) ownerURL() string {
	return fmt.Sprintf("host='%s' port=5432 user=hatang dbname=hatang sslmode=disable", filepath.Join(s.dir, "run"))
}

// sql runs a statement as the owner and returns its first value, as text.
func (s *server) sql(t *testing.T, statement string, args ...any) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.ownerURL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	value := ""
	if rows.Next() {
		values, err := rows.Values()
		if err != nil {
			t.Fatal(err)
		}
		if len(values) > 0 {
			value = fmt.Sprint(values[0])
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value
}
