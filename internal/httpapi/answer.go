package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// link is a link of OGC API documents.
type link struct {
	Href  string `json:"href"`
	Rel   string `json:"rel"`
	Type  string `json:"type,omitempty"`
	Title string `json:"title,omitempty"`
	// Templated: href has parts in braces to be filled in.
	Templated bool `json:"templated,omitempty"`
}

// appendLinks writes links as encode does: each feature has some, and most of what there is
// to be written of it otherwise is written already.
func appendLinks(b []byte, links []link) ([]byte, error) {
	b = append(b, '[')
	for i, l := range links {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		for _, member := range []struct{ name, text string }{{`"href":`, l.Href}, {`,"rel":`, l.Rel}, {`,"type":`, l.Type}, {`,"title":`, l.Title}} {
			if member.text == "" && member.name != `"href":` && member.name != `,"rel":` {
				continue
			}
			var err error
			if b, err = appendText(append(b, member.name...), member.text); err != nil {
				return nil, err
			}
		}
		if l.Templated {
			b = append(b, `,"templated":true`...)
		}
		b = append(b, '}')
	}
	return append(b, ']'), nil
}

// appendText writes a text as encode does. What needs no escaping is copied.
func appendText(b []byte, s string) ([]byte, error) {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) >= 0 {
		text, err := encode(s)
		return append(b, text...), err
	}
	return append(append(append(b, '"'), s...), '"'), nil
}

// base is the address clients reach the server by, without a slash at its end.
func (a *api) base(r *request) string {
	if a.PublicURL != "" {
		return a.PublicURL
	}
	if r.Host == "" {
		return "" // HTTP/1.0: addresses without a host still work
	}
	if r.address == "" {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		r.address = scheme + "://" + r.Host
	}
	return r.address
}

// href is the absolute address of a path below the API's root.
func (a *api) href(r *request, path string, query url.Values) string {
	address := a.base(r) + root + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// tag makes a weak ETag of the parts; they are joined so that no two lists agree by accident.
func tag(parts ...string) string {
	var few [1024]byte
	all := few[:0]
	for _, part := range parts {
		all = append(strconv.AppendInt(all, int64(len(part)), 10), ':')
		all = append(all, part...)
	}
	sum := sha256.Sum256(all)
	const begin, end = `W/"`, `"`
	var text [len(begin) + 24 + len(end)]byte
	return string(append(hex.AppendEncode(append(text[:0], begin...), sum[:12]), end...))
}

// cached sets the caching headers and reports whether the client has the answer
// already; then 304 has been sent.
func cached(w http.ResponseWriter, r *request, etag string) bool {
	h := w.Header()
	h["Cache-Control"] = cacheControl(r)
	h.Set("ETag", etag)
	if !tagMatches(r.Header.Get("If-None-Match"), etag) {
		return false
	}
	h.Del("Content-Length")
	w.WriteHeader(http.StatusNotModified)
	return true
}

// Values of Cache-Control; shared, as those of withHeaders.
var (
	publicNoCache  = []string{"public, no-cache"}
	privateNoCache = []string{"private, no-cache"}
)

// cacheControl lets caches keep what the public sees, and always ask first.
func cacheControl(r *request) []string {
	if !r.viewer.Known() && !r.who.key {
		return publicNoCache
	}
	return privateNoCache
}

// tagMatches compares an If-None-Match header with an ETag, weakly (RFC 9110 §13.1.2).
func tagMatches(header, etag string) bool {
	if header == "" || header == etag {
		return header != ""
	}
	if strings.TrimSpace(header) == "*" {
		return true
	}
	etag = strings.TrimPrefix(etag, "W/")
	for candidate := range strings.SplitSeq(header, ",") {
		if candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/"); candidate != "" && candidate == etag {
			return true
		}
	}
	return false
}

// encode marshals without escaping the & of addresses, which JSON does not need.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// answer sends a document with an ETag of its content: as it is, or as a page made of it.
func (a *api) answer(w http.ResponseWriter, r *request, mediaType string, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	for _, l := range a.alternates(r, mediaType) {
		w.Header().Add("Link", fmt.Sprintf("<%s>; rel=%q; type=%q", l.Href, l.Rel, l.Type))
	}
	if r.html {
		if body, err = a.documentHTML(r, mediaType, body); err != nil {
			return err
		}
		mediaType = typePage
	}
	return a.answerBytes(w, r, mediaType, body)
}

func (a *api) answerBytes(w http.ResponseWriter, r *request, mediaType string, body []byte) error {
	w.Header().Set("Content-Language", r.language())
	if cached(w, r, tag(string(body), r.viewer.Class())) {
		return nil
	}
	send(w, r, mediaType, body)
	return nil
}

// send writes a complete body with its length; HEAD gets the length alone.
func send(w http.ResponseWriter, r *request, mediaType string, body []byte) {
	sendStatus(w, r, http.StatusOK, mediaType, body)
}

func sendStatus(w http.ResponseWriter, r *request, status int, mediaType string, body []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		// A failing write means that the client has gone; nobody is left to tell.
		_, _ = w.Write(body)
	}
}
