//go:build unix && !linux

package localdb

import "syscall"

// dieWithParent does nothing: only Linux has a parent death signal.
func dieWithParent(*syscall.SysProcAttr) {}

// processesIn finds nothing: without /proc PostgreSQL's own interlocks must do.
func processesIn(string) []int { return nil }

// isElsewhere is never certain: without /proc PostgreSQL decides.
func isElsewhere(int, string) bool { return false }
