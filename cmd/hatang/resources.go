package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

// What a server takes of its machine, unless told otherwise.
const (
	// mostDescriptors are the file descriptors it uses, where the system allows as many.
	mostDescriptors = 4096
	// keptDescriptors are those of them for connections to the database, files and the
	// answers that wait on disk; the others are clients' connections.
	keptDescriptors = 512
	mebibyte        = 1 << 20
	// leastMemory is what a server of a province takes, bytes; one that holds a nation and had
	// no more would do nothing but look for what it could free.
	leastMemory = 400 * mebibyte
	usualMemory = -1 // MiB: what usualMemoryOf says
)

// limitMemory sets the memory, in MiB, beyond which the runtime works harder to free what
// is free; 0 for none, usualMemory for what the machine allows. It is no more than that:
// nothing is refused. What GOMEMLIMIT says stands before it.
func limitMemory(mib int64) error {
	if mib < usualMemory || mib > math.MaxInt64/mebibyte {
		return usageError{fmt.Errorf("--memory-limit %d is no number of MiB", mib)}
	}
	if mib == usualMemory {
		mib = usualMemoryOf(machineMemory(), groupMemory()) / mebibyte
	}
	if given := debug.SetMemoryLimit(-1); mib > 0 && given == math.MaxInt64 {
		debug.SetMemoryLimit(mib * mebibyte)
	}
	return nil
}

// usualMemoryOf is the limit of memory, bytes, on a machine with so much, whose control
// group may take so much of it (0 for all): four fifths of what the group may take, or a
// quarter of the machine's, and leastMemory at least.
func usualMemoryOf(machine, group int64) int64 {
	usual := machine / 4
	if group > 0 && (group < machine || machine == 0) {
		usual = group / 5 * 4
	}
	return max(usual, leastMemory)
}

// machineMemory is how much memory there is, bytes; 0 where the system does not tell.
func machineMemory() int64 {
	raw, err := os.ReadFile("/proc/meminfo")
	var kibibytes int64
	if _, scanned := fmt.Sscanf(string(raw), "MemTotal: %d kB", &kibibytes); err != nil || scanned != nil {
		return 0
	}
	return kibibytes * 1024
}

// groupMemory is how much of it the control group may take, bytes, as a container sees it;
// 0 for all.
func groupMemory() int64 {
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // the other version of control groups, or none
		}
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64); err == nil {
			return limit
		}
	}
	return 0
}

// clientConnections returns how many connections clients may have at a time: what is asked
// for, or with 0 all that the file descriptors allow. The error is a usageError where they
// do not.
func clientConnections(asked int) (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read the limit of file descriptors: %w", err)
	}
	return connectionsWithin(uint64(limit.Cur), asked)
}

// connectionsWithin is clientConnections where the system allows so many descriptors: of
// few the program keeps half. More than mostDescriptors are used only for those asked for.
func connectionsWithin(descriptors uint64, asked int) (int, error) {
	allowed := int(min(descriptors, math.MaxInt32))
	allowed -= min(keptDescriptors, allowed/2)
	switch {
	case asked < 0 || asked > allowed:
		return 0, usageError{fmt.Errorf("--max-connections %d is not from 1 to %d, which the file descriptors allow", asked, allowed)}
	case asked > 0:
		return asked, nil
	case allowed < 1:
		return 0, errors.New("the system allows no file descriptors for clients")
	}
	return min(allowed, mostDescriptors-keptDescriptors), nil
}
