package localdb

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// dieWithParent makes the child receive SIGINT (PostgreSQL: fast shutdown) when the thread
// that started it ends; the caller therefore locks its goroutine to its thread.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGINT }

// isElsewhere says for certain that a process is not a server at work in dir: it has ended and only
// waits to be collected by its parent, or it works in another folder.
func isElsewhere(pid int, dir string) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	if cwd, err := os.Readlink(filepath.Join(proc, "cwd")); err == nil {
		return cwd != dir
	}
	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return false
	}
	// "PID (name) STATE …"; the name may hold brackets (proc(5)).
	end := bytes.LastIndexByte(stat, ')')
	return end > 0 && bytes.HasPrefix(stat[end:], []byte(") Z"))
}

// processesIn returns the ids of the processes whose working folder is dir. A postmaster and
// all its children work in the data folder, so this finds what a killed postmaster left behind.
func processesIn(dir string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		// Unreadable: another user's process, or one that has just ended. Neither is ours.
		if cwd, err := os.Readlink(filepath.Join("/proc", e.Name(), "cwd")); err == nil && cwd == dir {
			pids = append(pids, pid)
		}
	}
	return pids
}
