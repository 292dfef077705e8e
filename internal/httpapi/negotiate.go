package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// Media types of what is served and read.
const (
	typeJSON       = "application/json"
	typeGeoJSON    = "application/geo+json"
	typeSchema     = "application/schema+json"
	typeOpenAPI30  = "application/vnd.oai.openapi+json;version=3.0"
	typeOpenAPI31  = "application/vnd.oai.openapi+json;version=3.1"
	typeMergePatch = "application/merge-patch+json"
	typeCSV        = "text/csv"
	typeGeoJSONSeq = "application/geo+json-seq"
	typeNDJSON     = "application/x-ndjson"
	typeXLSX       = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	typeMVT        = "application/vnd.mapbox-vector-tile"
	typeStyle      = "application/vnd.mapbox.style+json"
	typeHTML       = "text/html"
	typeProblem    = "application/problem+json"
)

// maxHeader bounds the negotiation headers that are looked at; longer ones are
// read as if they were absent.
const maxHeader = 2048

// languageOf returns "vi" or "en": the one that lang names, else the one that
// Accept-Language prefers, English where it names neither.
func languageOf(r *http.Request) string {
	if lang := parameter(r, "lang"); isLanguage(lang) {
		return lang
	}
	header := r.Header.Get("Accept-Language")
	if header == "" || len(header) > maxHeader {
		return "en"
	}
	tags, weights, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return "en"
	}
	for i, tag := range tags {
		base, _ := tag.Base()
		if weights[i] > 0 && (base.String() == "vi" || base.String() == "en") {
			return base.String()
		}
	}
	return "en"
}

// isLanguage reports whether answers can be had in a language.
func isLanguage(lang string) bool { return lang == "vi" || lang == "en" }

// parameter is the first value of a parameter of the query, "" where it has none or
// cannot be read.
func parameter(r *http.Request, name string) string {
	if !strings.Contains(r.URL.RawQuery, name+"=") {
		return "" // most requests: nothing needs to be parsed
	}
	return r.URL.Query().Get(name)
}

// asksForPage reports whether a request asks for HTML where the media types are offered:
// by f, else by an Accept header that likes it better than each of the others.
func asksForPage(r *http.Request, offers []string) bool {
	if !slices.Contains(offers, typeHTML) {
		return false
	}
	if len(offers) == 1 {
		return true
	}
	if strings.Contains(r.URL.RawQuery, "f=") && r.URL.Query().Has("f") {
		return parameter(r, "f") == "html"
	}
	accept := r.Header.Get("Accept")
	if !strings.Contains(strings.ToLower(accept), "text/") && !strings.Contains(accept, ";") {
		return false // as programs ask: what */* takes first is no page
	}
	html := weight(accept, []string{typeHTML})
	return html > 0 && !slices.ContainsFunc(offers, func(offer string) bool {
		return offer != typeHTML && weight(accept, []string{offer}) >= html
	})
}

// acceptable reports whether the Accept header takes one of the media types
// offered. None is the same as */*; text/html gets what there is where there is no page.
func acceptable(header string, offers []string) bool {
	for i := range offers {
		if weight(header, offers[i:i+1]) > 0 {
			return true
		}
	}
	return namesHTML(header)
}

// namesHTML reports whether an Accept header takes HTML, and not by a wildcard.
func namesHTML(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		mediaRange, parameters, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(mediaRange), typeHTML) && quality(parameters) > 0 {
			return true
		}
	}
	return false
}

// preferred returns the offer that the Accept header likes best, the first of
// those it likes as much; "" when it takes none.
func preferred(header string, offers []string) string {
	best, most := "", 0.0
	if acceptable(header, offers) {
		best = offers[0]
	}
	for i := range offers {
		if q := weight(header, offers[i:i+1]); q > most {
			best, most = offers[i], q
		}
	}
	return best
}

// weight is the quality that an Accept header gives to the offers, 0 for none.
func weight(header string, offers []string) float64 {
	if header == "" || len(header) > maxHeader {
		return 1
	}
	best, precision := 0.0, -1
	for _, part := range strings.Split(header, ",") {
		mediaRange, parameters, _ := strings.Cut(part, ";")
		p := matches(strings.ToLower(strings.TrimSpace(mediaRange)), offers)
		q := quality(parameters)
		// The most exact range decides: */*;q=0 refuses only what no other names.
		if p > precision || p == precision && p >= 0 && q > best {
			best, precision = q, p
		}
	}
	if precision < 0 {
		return 0
	}
	return best
}

// matches says how exactly a media range covers one of the offers: 2 by name, 1 by
// main type, 0 by */*, -1 not at all.
func matches(mediaRange string, offers []string) int {
	exact := -1
	for _, offer := range offers {
		bare, _, _ := strings.Cut(offer, ";")
		main, _, _ := strings.Cut(bare, "/")
		switch mediaRange {
		case bare:
			return 2
		case main + "/*":
			exact = max(exact, 1)
		case "*/*", "*":
			exact = max(exact, 0)
		}
	}
	return exact
}

// quality returns the q of a media range's parameters; 1 where there is none.
func quality(parameters string) float64 {
	for _, p := range strings.Split(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") {
			if q, err := strconv.ParseFloat(value, 64); err == nil {
				return q
			}
			return 0
		}
	}
	return 1
}

// isType reports whether a Content-Type is one of the media types, its
// parameters left aside.
func isType(contentType string, types []string) bool {
	bare, _, _ := strings.Cut(contentType, ";")
	bare = strings.ToLower(strings.TrimSpace(bare))
	for _, t := range types {
		if bare == t {
			return true
		}
	}
	return false
}
