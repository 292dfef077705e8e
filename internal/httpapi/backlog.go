package httpapi

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"hatang/internal/formats"
)

// Limits of what waits for clients to read it.
const (
	backlogMemory = 1 << 20 // bytes of one answer in memory
	backlogDisk   = 4 << 30 // bytes of all answers on disk
)

// backlog sends a long answer on behalf of whoever makes it, and keeps what its client
// is too slow for: some in memory, the rest in a file without name. So an answer is made
// as fast as the database gives its rows, and nobody keeps a connection to it by reading
// slowly. Where there is no room on disk, the maker waits for the client after all.
type backlog struct {
	w    io.Writer
	room *atomic.Int64 // bytes that may yet go to disk, of all answers
	done chan struct{} // closed when nothing is sent any more

	mu       sync.Mutex
	changed  sync.Cond
	memory   [][]byte // what is sent next
	held     int      // bytes of it, and of what is being sent
	file     *os.File // what is sent after it; nil until there is any
	from, to int64    // of the file
	size     int64    // of the file, taken from room
	diskless bool     // nothing more goes to disk
	ended    bool     // nothing more comes
	err      error    // why nothing more is sent
}

// chunks have been sent, and are used again by all long answers: a layer is a thousand of
// them, which nobody should have to clear away.
var chunks sync.Pool

const chunkRoom = chunkBytes + chunkBytes/2 // the row that completes a chunk goes over its size

func newChunk() []byte {
	if used, ok := chunks.Get().(*[]byte); ok {
		return (*used)[:0]
	}
	return make([]byte, 0, chunkRoom)
}

// usedChunk takes back what nobody has any more; what has another size is left to the
// garbage collector.
func usedChunk(chunk []byte) {
	if cap(chunk) == chunkRoom {
		chunks.Put(&chunk)
	}
}

func newBacklog(w io.Writer, room *atomic.Int64) *backlog {
	b := &backlog{w: w, room: room, done: make(chan struct{})}
	b.changed.L = &b.mu
	go b.run()
	return b
}

// put takes over a chunk to be sent and returns an empty one to go on with. Its error
// wraps errClientGone.
func (b *backlog) put(chunk []byte) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.err == nil {
		if b.from == b.to && (b.held == 0 || b.held+len(chunk) <= backlogMemory) {
			b.memory = append(b.memory, chunk)
			b.held += len(chunk)
			b.changed.Broadcast()
			return newChunk(), nil
		}
		if !b.diskless {
			if b.store(chunk) {
				b.changed.Broadcast()
				return chunk[:0], nil
			}
			if b.diskless { // all may have been sent while the disk failed: nobody would wake us
				continue
			}
		}
		b.changed.Wait()
	}
	return nil, b.err
}

// store writes a chunk to the file, false where it cannot. The lock is held before and
// after, and not while the disk works: nobody else writes, and what is there is behind.
func (b *backlog) store(chunk []byte) bool {
	if b.from == b.to {
		b.from, b.to = 0, 0
	}
	end := b.to + int64(len(chunk))
	if more := end - b.size; more > 0 {
		if b.room.Add(-more) < 0 {
			b.room.Add(more)
			return false
		}
		b.size = end
	}
	at := b.to
	b.mu.Unlock()
	var err error
	if b.file == nil { // which only this goroutine makes
		b.file, err = formats.TempFile()
	}
	if err == nil {
		_, err = b.file.WriteAt(chunk, at)
	}
	b.mu.Lock()
	if err != nil {
		b.diskless = true // a full disk; what is on it is sent all the same
		return false
	}
	b.to = end
	return true
}

// run sends what there is until it is told that there is no more.
func (b *backlog) run() {
	defer close(b.done)
	var scratch []byte
	for {
		chunk, stored := b.next(&scratch)
		if chunk == nil {
			return
		}
		_, err := b.w.Write(chunk)
		b.mu.Lock()
		switch {
		case err != nil && b.err == nil:
			b.err = fmt.Errorf("%w: %w", errClientGone, err)
		case stored:
			b.from += int64(len(chunk))
		default:
			b.held -= len(chunk)
			usedChunk(chunk)
		}
		b.changed.Broadcast()
		b.mu.Unlock()
	}
}

// next waits for what is to be sent: a chunk of memory, or a piece of the file; nil
// when nothing more is.
func (b *backlog) next(scratch *[]byte) (chunk []byte, stored bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.err == nil {
		switch {
		case len(b.memory) > 0:
			chunk, b.memory = b.memory[0], b.memory[1:]
			return chunk, false
		case b.from < b.to:
			if *scratch == nil {
				*scratch = make([]byte, chunkBytes)
			}
			chunk = (*scratch)[:min(int64(len(*scratch)), b.to-b.from)]
			if _, err := b.file.ReadAt(chunk, b.from); err != nil {
				b.err = fmt.Errorf("read back what waits for the client: %w", err)
				b.changed.Broadcast()
				return nil, false
			}
			return chunk, true
		case b.ended:
			return nil, false
		}
		b.changed.Wait()
	}
	return nil, false
}

// finish waits until everything has been sent, or cannot be.
func (b *backlog) finish() error {
	b.mu.Lock()
	b.ended = true
	b.changed.Broadcast()
	b.mu.Unlock()
	<-b.done
	err := b.err
	b.stop()
	return err
}

// errStopped is the error of a backlog that was stopped before its end.
var errStopped = errors.New("the answer was stopped")

// stop ends the sending where it is and frees all; it may be called again.
func (b *backlog) stop() {
	b.mu.Lock()
	if b.err == nil {
		b.err = errStopped
	}
	b.changed.Broadcast()
	b.mu.Unlock()
	<-b.done
	if b.file != nil {
		_ = b.file.Close() // it has no name: nothing of it is left
		b.file = nil
	}
	b.room.Add(b.size)
	b.size = 0
}
