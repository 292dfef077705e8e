package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"hatang/geo"
	"hatang/internal/layer"
)

// Limits of JSON bodies; how large one may be is in limits_roles.go.
const (
	maxDepth = 32 // how deep it may be nested
	// bodyPaceBytes and bodyPaceTime: so much must come in such a time, 1 KiB a second.
	bodyPaceBytes = 10 << 10
	bodyPaceTime  = 10 * time.Second
	bodyTime      = 5 * time.Minute // for all of it
	// smallBody is how much is read of any body; of larger ones so many at a time.
	smallBody = 256 << 10
)

// readBody reads a JSON body within its limits: 413 when too large, 400 when it
// is no JSON or nested too deep.
func readBody(w http.ResponseWriter, r *request) (json.RawMessage, error) {
	body, err := appendBody(nil, w, r)
	if err != nil {
		return nil, err
	}
	return jsonIn(body)
}

// appendBody reads a body within its limits, and begins the time of the work on it: 413
// when it is too large, 408 when it comes too slowly.
func appendBody(dst []byte, w http.ResponseWriter, r *request) ([]byte, error) {
	most := allowanceOf(r.viewer).bodyBytes
	if r.ContentLength > most {
		return dst, &http.MaxBytesError{Limit: most}
	}
	began := time.Now()
	body := &pacedBody{body: r.Body, paced: paced{http.NewResponseController(w), bodyPaceTime}, bytes: bodyPaceBytes, until: began.Add(bodyTime)}
	defer func() {
		if time.Since(began) > bodyPaceTime { // the answer has its time from now, not from the headers
			// It fails only where there is no connection, or none any more.
			_ = body.control.SetWriteDeadline(time.Now().Add(answerTime))
		}
	}()
	in := http.MaxBytesReader(w, body, most)
	for {
		dst = slices.Grow(dst, 512) // a length that is promised is not believed
		n, err := in.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		var tooLarge *http.MaxBytesError
		switch {
		case errors.Is(err, io.EOF):
			r.begin()
			return dst, nil
		case errors.As(err, &tooLarge):
			return dst, err
		case errors.Is(err, os.ErrDeadlineExceeded):
			return dst, problem(tooSlow, "Nội dung gửi lên đến quá chậm.", "The body came too slowly.")
		case err != nil:
			return dst, problem(unreadableBody, "Nội dung gửi lên bị đứt giữa chừng.", "The body broke off.")
		case len(dst) > smallBody && r.leave == nil:
			if r.leave, err = r.limits.enterBody(r.viewer, r.Request); err != nil {
				return dst, err
			}
		}
	}
}

// pacedBody reads a body, so many bytes in a time.
type pacedBody struct {
	body io.ReadCloser
	paced
	bytes int       // in the time
	until time.Time // no later than then; zero for whenever
	left  int       // bytes until the next deadline
	ended atomic.Bool
}

func (b *pacedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		deadline := time.Now().Add(b.time)
		if !b.until.IsZero() && deadline.After(b.until) {
			deadline = b.until
		}
		if err := unlessUnsupported(b.control.SetReadDeadline(deadline)); err != nil {
			return 0, err
		}
		b.left = b.bytes
	}
	n, err := b.body.Read(p)
	b.left -= n
	if errors.Is(err, io.EOF) {
		b.ended.Store(true)
		// The client may read the answer for as long as it takes.
		if err := unlessUnsupported(b.control.SetReadDeadline(time.Time{})); err != nil {
			return n, err
		}
		return n, io.EOF
	}
	if err != nil { // a deadline that has passed is one, too: the server drops the connection
		err = errors.Join(errBrokeOff, err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *pacedBody) Close() error { return b.body.Close() }

// interrupt ends a Read that is under way. Behind the end of the body there is none,
// and the server would take a deadline for the client's leaving.
func (b *pacedBody) interrupt() {
	if !b.ended.Load() {
		// It fails only where there is no connection, and nothing to wait for.
		_ = b.control.SetReadDeadline(time.Unix(1, 0))
	}
}

// errBrokeOff says that the body could not be read to its end.
var errBrokeOff = errors.New("the body broke off")

// jsonIn returns a body that is JSON and not nested too deep.
func jsonIn(body []byte) (json.RawMessage, error) {
	if depth(body) > maxDepth {
		return nil, problem(unreadableBody, fmt.Sprintf("JSON lồng nhau quá %d tầng.", maxDepth), fmt.Sprintf("The JSON is nested deeper than %d levels.", maxDepth))
	}
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, notJSON(err)
	}
	return whole, nil
}

// notJSON says where the JSON breaks, which is all a syntax error can say.
func notJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return problem(unreadableBody, fmt.Sprintf("Nội dung không phải JSON đúng: lỗi ở byte %d.", syntax.Offset),
			fmt.Sprintf("The body is not valid JSON: it breaks at byte %d.", syntax.Offset))
	}
	return problem(unreadableBody, "Nội dung không phải JSON đúng.", "The body is not valid JSON.")
}

// depth is how deep brackets are nested, those in strings left aside. It is
// counted before parsing so that a hostile body is never followed down.
func depth(body []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

// objectOf reads the members of a JSON object.
func objectOf(raw json.RawMessage) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return nil, faultsProblem(invalidBody, layer.Faults{{At: "", Detail: geo.Text{
			VI: "nội dung phải là một đối tượng JSON", EN: "the body must be a JSON object"}}})
	}
	return members, nil
}

// escapePointer writes a member's name as a part of a JSON pointer (RFC 6901).
func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(clip(name))
}
