package httpapi

import (
	"net/http"
	"strings"
)

// preferences are what a client would like of a write (RFC 7240). What it says of return
// and handling is done, and named in Preference-Applied; the rest is passed over.
type preferences struct {
	returns  string // "minimal", "representation" or ""
	handling string // "strict", "lenient" or ""
}

// preferencesOf reads the Prefer header. Of a preference that is given twice the first
// counts.
func preferencesOf(h http.Header) (p preferences) {
	for part := range strings.SplitSeq(strings.Join(h.Values("Prefer"), ","), ",") {
		preference, _, _ := strings.Cut(part, ";") // its parameters, which these two have not
		name, value, _ := strings.Cut(preference, "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch name = strings.ToLower(strings.TrimSpace(name)); {
		case name == "return" && p.returns == "" && (value == "minimal" || value == "representation"):
			p.returns = value
		case name == "handling" && p.handling == "" && (value == "strict" || value == "lenient"):
			p.handling = value
		}
	}
	return p
}

// applied tells the client which of its preferences were followed.
func (p preferences) applied(w http.ResponseWriter) {
	var applied []string
	if p.returns != "" {
		applied = append(applied, "return="+p.returns)
	}
	if p.handling != "" {
		applied = append(applied, "handling="+p.handling)
	}
	if applied != nil {
		w.Header().Set("Preference-Applied", strings.Join(applied, ", "))
	}
}
