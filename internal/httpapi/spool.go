package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	// maxComplete is the largest answer that is complete before its first byte, bytes.
	maxComplete = 8 << 20
	// firstBytes is what an answer begins with that is certain to be longer.
	firstBytes = 64 << 10
	// chunkBytes is what a longer answer is sent in.
	chunkBytes = 128 << 10
)

// errHeadDone ends the work on a HEAD request whose answer would be streamed: its
// header is out and has no length.
var errHeadDone = errors.New("header sent")

// errClientGone says that an answer could not be written: its reader has left.
var errClientGone = errors.New("the client has gone")

// spool holds an answer back until it is complete or over maxComplete, from where
// on it streams. The answer is appended to buf; settle is called between appends.
type spool struct {
	w         http.ResponseWriter
	buf       []byte
	mediaType string
	head      bool   // only the header is wanted
	byteRange string // the Range header; of a complete answer one range can be had
	large     bool   // it is certain to be over maxComplete, and need not wait
	streaming bool
	room      *atomic.Int64 // for what the client is too slow for; nil: the maker waits for the client
	behind    *backlog      // sends what is streamed, where there is room
	used      *sync.Pool    // of what answers were held in; nil: none is used again
}

// hold returns what another answer was held in, which has grown by then, or something
// empty. It goes back to heldBefore once nobody has the answer any more.
func (a *api) hold() *[]byte {
	if held, ok := a.heldBefore.Get().(*[]byte); ok {
		return held
	}
	return new([]byte)
}

// settle sends what is due. Its error, but for errHeadDone, wraps errClientGone.
func (s *spool) settle() error {
	if most := s.held(); !s.streaming && len(s.buf) <= most {
		return nil
	}
	due := chunkBytes
	if !s.streaming {
		due = firstBytes
	}
	if err := s.begin(); err != nil || len(s.buf) < due {
		return err
	}
	err := s.send()
	if cap(s.buf) > chunkRoom {
		s.buf = newChunk() // gives the megabytes back
	}
	s.buf = s.buf[:0]
	return err
}

// begin sends the header of an answer that streams; of HEAD, that is all.
func (s *spool) begin() error {
	if !s.streaming {
		s.streaming = true
		s.w.Header().Set("Content-Type", s.mediaType)
		s.w.WriteHeader(http.StatusOK)
	}
	if s.head {
		return errHeadDone
	}
	return nil
}

// held is how much is held back before the first byte.
func (s *spool) held() int {
	if s.large {
		return firstBytes
	}
	return maxComplete
}

// close sends the rest; a complete answer gets its length.
func (s *spool) close() error {
	if !s.streaming {
		if whole := s.buf; s.used != nil && cap(whole) <= 2*maxComplete {
			defer s.used.Put(&whole) // whoever writes it does not keep it
		}
		s.w.Header().Set("Content-Type", s.mediaType)
		status := http.StatusOK
		if first, end, ok := oneRange(s.byteRange, len(s.buf)); ok && !s.head {
			s.w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, end-1, len(s.buf)))
			s.buf, status = s.buf[first:end], http.StatusPartialContent
		}
		s.w.Header().Set("Content-Length", strconv.Itoa(len(s.buf)))
		s.w.WriteHeader(status)
	}
	if s.head {
		return nil
	}
	if err := s.send(); err != nil || s.behind == nil {
		return err
	}
	return s.behind.finish()
}

// stop ends an answer that is not to be completed. It must be called for one with room,
// before its writer goes; after close it does nothing.
func (s *spool) stop() {
	if s.behind != nil {
		s.behind.stop()
	}
}

func (s *spool) send() (err error) {
	if s.streaming && s.room != nil {
		if s.behind == nil {
			s.behind = newBacklog(s.w, s.room)
		}
		s.buf, err = s.behind.put(s.buf)
		return err
	}
	if _, err := s.w.Write(s.buf); err != nil {
		return fmt.Errorf("%w: %w", errClientGone, err)
	}
	return nil
}

// oneRange reads a Range header of a single range of bytes and returns its part
// [first, end) of size bytes. It returns false for all that RFC 9110 §14.2 lets a
// server pass over: several ranges, other units, no range, one behind the end. GDAL
// reads a file over the network in ranges and gives up where a larger one has none.
func oneRange(header string, size int) (first, end int, ok bool) {
	spec, isBytes := strings.CutPrefix(header, "bytes=")
	from, to, isRange := strings.Cut(strings.TrimSpace(spec), "-")
	if !isBytes || !isRange {
		return 0, 0, false
	}
	if from == "" { // the last bytes
		n, err := strconv.ParseUint(to, 10, 31)
		return size - min(int(n), size), size, err == nil && n > 0 && size > 0
	}
	start, err := strconv.ParseUint(from, 10, 31)
	if err != nil || int(start) >= size {
		return 0, 0, false
	}
	last := uint64(size - 1)
	if to != "" {
		if last, err = strconv.ParseUint(to, 10, 31); err != nil || last < start {
			return 0, 0, false
		}
	}
	return int(start), min(int(last)+1, size), true
}

// behind reports whether a Range header asks for a range that begins behind the last of
// size bytes, as one does who goes on with a file of which he has all.
func behind(header string, size int) bool {
	from, isRange := strings.CutPrefix(header, "bytes=")
	from, to, _ := strings.Cut(strings.TrimSpace(from), "-")
	start, err := strconv.ParseUint(from, 10, 63)
	if last, bad := strconv.ParseUint(to, 10, 63); to != "" && (bad != nil || last < start) {
		return false
	}
	return isRange && err == nil && start >= uint64(size)
}
