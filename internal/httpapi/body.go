package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"hatang/geo"
	"hatang/internal/layer"
)

// maxDepth is how deep a JSON body may be nested.
const maxDepth = 32

// readBody reads a JSON body within its limits: 413 when too large, 400 when it
// is no JSON or nested too deep.
func readBody(w http.ResponseWriter, r *request) (json.RawMessage, error) {
	body, err := appendBody(nil, w, r)
	if err != nil {
		return nil, err
	}
	return jsonIn(body)
}

// appendBody reads a body within its limit: 413 when it is too large.
func appendBody(dst []byte, w http.ResponseWriter, r *request) ([]byte, error) {
	if r.ContentLength > maxBodyBytes {
		return dst, &http.MaxBytesError{Limit: maxBodyBytes}
	}
	in := http.MaxBytesReader(w, r.Body, maxBodyBytes)
	for {
		dst = slices.Grow(dst, 512) // a length that is promised is not believed
		n, err := in.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		var tooLarge *http.MaxBytesError
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return dst, nil
		case errors.As(err, &tooLarge):
			return dst, err
		default:
			return dst, problem(unreadableBody, "Nội dung gửi lên bị đứt giữa chừng.", "The body broke off.")
		}
	}
}

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
