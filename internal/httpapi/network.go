package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// networkFormat is a way to answer a network; name is that of f.
type networkFormat struct {
	name, mediaType string
	format          permit.NetworkFormat
}

// networkFormats are all of them, the usual one first.
func networkFormats() []networkFormat {
	return []networkFormat{
		{"json", typeJSON, permit.NetworkJSON}, {"ndjson", typeNDJSON, permit.NetworkLines},
		{"csv", typeCSV, permit.NetworkCSV}, {"xlsx", typeXLSX, permit.NetworkCSV},
	}
}

// networkTypes are the media types of networks.
func networkTypes() (types []string) {
	for _, f := range networkFormats() {
		types = append(types, f.mediaType)
	}
	return types
}

// networkNames are the names of f.
func networkNames() (names []string) {
	for _, f := range networkFormats() {
		names = append(names, f.name)
	}
	return names
}

// network judges all masts of an operator that stand or are planned.
func (a *api) network(w http.ResponseWriter, r *request) error {
	var faults layer.Faults
	q := permit.Question{Viewer: r.viewer, Date: dateIn(r, a.ReferenceDate(), &faults), KnownAt: a.knownAtIn(r.values, &faults)}
	operator := plainIn(r, "operator", &faults)
	if operator == "" && len(faults) == 0 {
		faults.Add("operator", "thiếu operator: mã của một doanh nghiệp", "operator is missing: the code of an operator")
	}
	wanted := preferred(r.Header.Get("Accept"), networkTypes())
	named := r.values.Get("f")
	n := slices.IndexFunc(networkFormats(), func(f networkFormat) bool {
		return named != "" && f.name == named || named == "" && f.mediaType == wanted
	})
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	f := networkFormats()[max(n, 0)]
	w.Header()["Cache-Control"] = noStore
	w.Header().Set("Content-Language", r.language())
	out := a.answerTo(w, r, f.mediaType)
	defer out.stop()
	summary, err := a.writeNetwork(r, q, operator, f.mediaType, f.format, spooled{&out})
	if errors.Is(err, errHeadDone) {
		return nil
	}
	if err != nil {
		return err
	}
	raw, err := json.Marshal(summary.NetworkCounts)
	if err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	name := summaryName
	if out.streaming {
		name = http.TrailerPrefix + name
	}
	w.Header().Set(name, string(raw))
	return out.close()
}

// writeNetwork writes the network; a workbook is made of its CSV.
func (a *api) writeNetwork(r *request, q permit.Question, operator, mediaType string, f permit.NetworkFormat, out spooled) (permit.NetworkSummary, error) {
	if mediaType != typeXLSX {
		return a.Checker.Network(r.Context(), q, operator, r.language(), f, out)
	}
	book := formats.NewTableWriter(out, "network", permit.IsNetworkNumber)
	summary, err := a.Checker.Network(r.Context(), q, operator, r.language(), f, book)
	return summary, errors.Join(err, book.End(err))
}

// spooled writes into a spool.
type spooled struct{ *spool }

func (o spooled) Write(p []byte) (int, error) {
	o.buf = append(o.buf, p...)
	return len(p), o.settle()
}
