package httpapi

import (
	"errors"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"hatang/internal/formats"
)

// Files are kept while they are asked for and there is room, and are closed when nobody
// sends them any more.
func TestFilesKeptForRanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := &madeFiles{}
		file := func(size int64) *madeFile {
			f, err := formats.TempFile()
			if err != nil {
				t.Fatal(err)
			}
			made, err := all.take(f)
			if err != nil {
				t.Fatal(err)
			}
			made.size = size // so much need not be written
			return made
		}
		closed := func(f *madeFile) bool {
			_, err := f.Stat()
			return errors.Is(err, os.ErrClosed)
		}
		first := file(madeBytes - 1)
		all.keep("first", first)
		first.release()
		for i, tt := range []struct {
			size int64
			kept bool
		}{{0, true}, {2, false}, {1, true}} {
			f := file(tt.size)
			all.keep(strconv.Itoa(i), f)
			f.release()
			if closed(f) == tt.kept {
				t.Errorf("%d bytes beside a file that leaves one: kept %t, want %t", tt.size, !closed(f), tt.kept)
			}
		}
		twice := file(0)
		all.keep("first", twice)
		if twice.release(); !closed(twice) {
			t.Error("a second file under the key is kept")
		}
		time.Sleep(madeKept - 1)
		if f := all.find("first"); f != first {
			t.Fatal("it is not kept so long")
		}
		time.Sleep(madeKept - 1)
		if all.find("0") != nil || closed(first) {
			t.Error("a file outlives its time, or another goes before")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if all.find("first") != nil || closed(first) || all.bytes != 0 {
			t.Errorf("a file is found after its time, or closed while it is sent; %d bytes", all.bytes)
		}
		if first.release(); !closed(first) {
			t.Error("a file that nobody has stays open")
		}
	})
}
