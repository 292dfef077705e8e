package main

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"
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
)

// limitMemory sets the memory, in MiB, beyond which the runtime works harder to free what
// is free; 0 for none. It is no more than that: nothing is refused. What GOMEMLIMIT says
// stands before it.
func limitMemory(mib int64) error {
	if mib < 0 || mib > math.MaxInt64/mebibyte {
		return usageError{fmt.Errorf("--memory-limit %d is no number of MiB", mib)}
	}
	if given := debug.SetMemoryLimit(-1); mib > 0 && given == math.MaxInt64 {
		debug.SetMemoryLimit(mib * mebibyte)
	}
	return nil
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
