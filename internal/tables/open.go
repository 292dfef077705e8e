package tables

import (
	"context"
	"strings"
)

// Open opens a file of whatever format it is and finds out what it must know before its
// rows are read. Errors that are the file's are *layer.ValueError, those that need a table
// to be named *WhichError; others are the system's.
func Open(ctx context.Context, path string, o Options) (Table, error) {
	f, err := onDisk(path)
	if err != nil {
		return nil, err
	}
	return openFile(ctx, f, o)
}

func openFile(ctx context.Context, f file, o Options) (Table, error) {
	return openCSV(ctx, f, o)
}

// sameStem reports whether a file's name is that of another with a different ending.
func sameStem(name, other, ending string) bool {
	stem := other
	if dot := strings.LastIndexByte(other, '.'); dot >= 0 {
		stem = other[:dot]
	}
	return strings.EqualFold(name, stem+ending)
}
