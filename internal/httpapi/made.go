package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Files that were made for answers of which parts are asked for.
const (
	madeBytes = 2 << 30     // on disk, all of them
	madeKept  = time.Minute // since a part was asked for
)

// madeFiles keep files of which a client reads one range after the other, as GDAL does
// over the network, so that not each of them has the whole file made. They are kept under
// the weak ETag of the answer, which holds the version of the layer, what the viewer may
// see and all that was asked: an edit, or another's rights, make it another file. What
// finds no room is made again. Safe for concurrent use.
type madeFiles struct {
	mu    sync.Mutex
	files map[string]*madeFile
	bytes int64 // of those kept
}

// madeFile is a file without a name that is closed when nobody sends it and it is not kept.
type madeFile struct {
	*os.File
	size  int64
	sum   string // of its bytes, hexadecimal
	all   *madeFiles
	users int
	kept  *time.Timer // nil: not kept
}

// take takes over a file that is complete, for one who releases it. Cost: its bytes are
// read once, for their sum.
func (m *madeFiles) take(f *os.File) (*madeFile, error) {
	info, err := f.Stat()
	hash := sha256.New()
	if err == nil {
		_, err = io.Copy(hash, io.NewSectionReader(f, 0, info.Size()))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &madeFile{File: f, size: info.Size(), sum: hex.EncodeToString(hash.Sum(nil)[:12]), all: m, users: 1}, nil
}

// find returns the file that is kept under a key, to be released; nil for none.
func (m *madeFiles) find(key string) *madeFile {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.files[key]
	if f != nil {
		f.users++
		f.kept.Reset(madeKept)
	}
	return f
}

// keep keeps a file for those who ask for more of it, if there is room.
func (m *madeFiles) keep(key string, f *madeFile) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[key] != nil || m.bytes+f.size > madeBytes {
		return
	}
	if m.files == nil {
		m.files = map[string]*madeFile{}
	}
	m.files[key] = f
	m.bytes += f.size
	f.kept = time.AfterFunc(madeKept, func() { m.drop(key, f) })
}

// drop keeps a file no longer.
func (m *madeFiles) drop(key string, f *madeFile) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[key] != f {
		return // its time was up twice, while somebody asked for it
	}
	delete(m.files, key)
	m.bytes -= f.size
	f.kept = nil
	f.users++
	f.leave()
}

// release gives back what take or find returned.
func (f *madeFile) release() {
	f.all.mu.Lock()
	defer f.all.mu.Unlock()
	f.leave()
}

// leave is release with the lock held.
func (f *madeFile) leave() {
	if f.users--; f.users == 0 && f.kept == nil {
		_ = f.Close() // what it held has no name, and goes however it ends
	}
}

// sendNew sends a file that has just been made, or the range of it that was asked for. It
// keeps the file under the key where the client is going to ask for more; never under "".
func (a *api) sendNew(w http.ResponseWriter, r *request, mediaType, key string, file *os.File) error {
	f, err := a.made.take(file)
	if err != nil {
		return err
	}
	defer f.release()
	if key != "" && inParts(r) {
		a.made.keep(key, f)
	}
	return f.send(w, r, mediaType)
}

// inParts reports whether a client reads a file range by range: it asks for one, or how
// long the file is.
func inParts(r *request) bool { return r.Method == http.MethodHead || r.Header.Get("Range") != "" }

// send sends the file, or the range of it that was asked for. The ETag that the answer has
// already gets the sum of the bytes, and is strong: with If-Range a client has all of its
// ranges of the same bytes, whoever makes them.
func (f *madeFile) send(w http.ResponseWriter, r *request, mediaType string) error {
	h, status := w.Header(), http.StatusOK
	strong := withSum(h.Get("ETag"), f.sum)
	h.Set("ETag", strong)
	first, end := 0, int(f.size)
	asked := rangeOf(r, strong)
	if behind(asked, end) {
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", end))
		return problem(rangeNotSatisfiable, fmt.Sprintf("Tệp chỉ có %d byte.", end), fmt.Sprintf("The file has %d bytes.", end))
	}
	if from, to, ok := oneRange(asked, end); ok {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, end))
		first, end, status = from, to, http.StatusPartialContent
	}
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(end-first))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	if _, err := io.Copy(w, io.NewSectionReader(f, int64(first), int64(end-first))); err != nil {
		return fmt.Errorf("%w: %w", errClientGone, err)
	}
	return nil
}

// withSum makes a strong ETag of a weak one and a sum.
func withSum(weak, sum string) string {
	return strings.TrimSuffix(strings.TrimPrefix(weak, "W/"), `"`) + "-" + sum + `"`
}

// cachedFile is cached for an answer made in a file. The client's tag has the sum of the
// bytes behind the version, which alone tells whether they are the latest.
func cachedFile(w http.ResponseWriter, r *request, etag string) bool {
	for candidate := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		candidate = strings.TrimSpace(candidate)
		_, rest, _ := strings.Cut(strings.TrimPrefix(candidate, "W/"), "-")
		sum := strings.TrimSuffix(rest, `"`)
		if raw, err := hex.DecodeString(sum); err == nil && len(raw) == 12 && strings.TrimPrefix(candidate, "W/") == withSum(etag, sum) {
			etag = candidate
			break
		}
	}
	return cached(w, r, etag)
}
