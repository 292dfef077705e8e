package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hatang/internal/testdb"
)

// workDir is the environment variable that names the folder of this run: the
// program under test, the data folders of its servers.
const workDir = "HATANG_E2E_DIR"

// TestMain makes the folder of the run. The test binary is also the keeper of the
// test cluster and of the servers that run inside the test.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "keep-cluster" {
		testdb.Main(m)
	}
	if len(os.Args) == 3 && os.Args[1] == bareServer {
		fmt.Fprintln(os.Stderr, serveBare(os.Args[2], os.Stdout))
		os.Exit(1)
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "hatang-e2e-")
	if err == nil {
		err = errors.Join(os.Chmod(dir, 0o755), os.Setenv(workDir, dir)) // open: PostgreSQL may run as another user
	}
	// What the caller's shell says is not what is tested.
	for _, name := range []string{"DATABASE_URL", "HATANG_DATA", "HATANG_DATE", "HATANG_LISTEN", "HATANG_DEMO", "HATANG_BASEMAP", "LC_ALL", "LC_MESSAGES", "LANG"} {
		err = errors.Join(err, os.Unsetenv(name))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return testdb.Run(m)
}

// program builds the real program, once.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.Getenv(workDir), "hatang")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
})

// firstRun is what the very first serve on an empty folder did.
type firstRun struct {
	dir, key, stderr string
	ready            time.Duration // from the start to the first answer
}

// template is a stopped data folder with the demonstration in it; servers under
// test work on copies, which start at once.
var template = sync.OnceValues(func() (firstRun, error) {
	run := firstRun{dir: filepath.Join(os.Getenv(workDir), "template")}
	start := time.Now()
	s, err := launch(run.dir, "--demo")
	if err != nil {
		return run, err
	}
	run.ready = time.Since(start)
	if code := s.terminate(); code != exitDone {
		return run, fmt.Errorf("the first serve ended with %d:\n%s", code, s.stderr())
	}
	run.stderr = s.stderr()
	run.key = keyIn(run.stderr)
	return run, nil
})

func keyIn(stderr string) string {
	for line := range strings.Lines(stderr) {
		if key, ok := strings.CutPrefix(strings.TrimSpace(line), "administrator key: "); ok {
			return key
		}
	}
	return ""
}

// demoDir returns a data folder with the demonstration, for one test.
func demoDir(t *testing.T) (dir, key string) {
	t.Helper()
	run, err := template()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(freshDir(t), "d")
	copyTree(t, run.dir, dir)
	return dir, run.key
}

// freshDir returns an empty folder that PostgreSQL's user may pass, unlike t.TempDir.
func freshDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(os.Getenv(workDir), "t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// copyTree copies a folder with owners and modes.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("copy %s: %v\n%s", from, err, out)
	}
}

// result is what a command did.
type result struct {
	code           int
	stdout, stderr string
}

// hatang runs the program to its end.
func hatang(t *testing.T, args ...string) result {
	t.Helper()
	return hatangTold(t, "", args...)
}

// hatangTold is hatang with something to read on standard input.
func hatangTold(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("hatang %v: %v", args, err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// wants checks the exit code and a part of what was said.
func (r result) wants(t *testing.T, code int, said string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.stdout+r.stderr, said) {
		t.Errorf("exit %d, want %d and %q in\n%s%s", r.code, code, said, r.stdout, r.stderr)
	}
	for _, trace := range []string{"goroutine ", "panic:", ".go:"} {
		if strings.Contains(r.stdout+r.stderr, trace) {
			t.Errorf("the command shows its inside (%q):\n%s%s", trace, r.stdout, r.stderr)
		}
	}
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}
