package localdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// initData makes the data folder if there is none. It is made beside its place and moved there
// when it is whole, so a crash or a full disk leaves no half data folder. Takes about 0.7 s.
func (p place) initData(ctx context.Context, in install) error {
	tmp := filepath.Join(p.home, "data.new")
	if err := os.RemoveAll(tmp); err != nil {
		return fmt.Errorf("remove an unfinished data folder: %w", err)
	}
	if err := p.makeDir(tmp); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if err := p.runInitdb(ctx, in, tmp); err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	if err := os.Rename(tmp, p.data()); err != nil {
		return fmt.Errorf("put the data folder in its place: %w", err)
	}
	return nil
}

// runInitdb fills an empty folder. The pg_hba.conf it writes is not the one in use, and admits
// peers only, in case somebody starts the server by hand.
func (p place) runInitdb(ctx context.Context, in install, dir string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(in.bin, "initdb"),
		"--pgdata="+dir, "--username="+ownerRole, "--data-checksums", "--encoding=UTF8",
		"--locale=C.UTF-8", "--auth-local=peer", "--auth-host=reject", "--no-instructions")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p.asServer(cmd)
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if strings.Contains(out.String(), "No space left on device") {
		err = fmt.Errorf("%w (%w)", ErrNoSpace, err)
	}
	return fmt.Errorf("initdb in %s: %w: %s", p.home, err, lastLines(out.String(), 5))
}

// asServer lets a command run as the server's user, outside anybody's working folder, with messages
// in English and without the PG… variables of whoever called us.
func (p place) asServer(cmd *exec.Cmd) {
	cmd.Dir = "/"
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PG") && !strings.HasPrefix(kv, "LC_") && !strings.HasPrefix(kv, "LANG") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C.UTF-8")
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Credential = p.cred
}

// lastLines returns the last n lines that are not empty, joined by " / ".
func lastLines(s string, n int) string {
	var lines []string
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], " / ")
}
