package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/intake"
	"hatang/internal/layer"
)

// Sites are the masts that operators have in common. Every method knows and changes only
// what the viewer may write; what is no draft.
type Sites interface {
	// ProposeSites returns which sites are likely one mast, their positions lying within a
	// distance in metres of each other, and counts them as they are.
	ProposeSites(ctx context.Context, v account.Viewer, distanceM float64) (intake.ProposedSites, layer.SiteCounts, error)
	// MergeSites makes one of the sites, the first; SplitSite takes a position off its site;
	// KeepApart remembers that each of the sites is a mast of its own. *layer.InvalidError,
	// ErrForbidden, ErrConflict.
	MergeSites(ctx context.Context, v account.Viewer, codes []string, date geo.Date, dryRun bool) (layer.SitesChanged, error)
	SplitSite(ctx context.Context, v account.Viewer, split layer.SiteSplit, date geo.Date, dryRun bool) (layer.SitesChanged, error)
	KeepApart(ctx context.Context, v account.Viewer, codes []string, reason string, date geo.Date) error
}

// Limits of sites and distances.
const (
	mostProposed   = 1000 // proposals, and pairs apart, in one answer
	mostSites      = 20   // of one mast
	mostReason     = 4000 // characters
	farthestMastsM = 1000
)

// proposalsDocument is what may be one mast.
type proposalsDocument struct {
	Date      geo.Date              `json:"date"`
	DistanceM float64               `json:"distance_m"`
	Counts    layer.SiteCounts      `json:"counts"`
	Proposals []intake.ProposedSite `json:"proposals"`
	More      int                   `json:"more"` // proposals beside these
	Apart     []intake.Link         `json:"apart"`
	Crowded   []intake.Position     `json:"crowded"`
	Links     []link                `json:"links"`
}

// proposeSites lists sites of different operators that lie so near each other that they are
// likely one mast, with what speaks for it.
func (a *api) proposeSites(w http.ResponseWriter, r *request) error {
	distanceM := float64(intake.SameMastM)
	if text := r.values.Get("distance"); r.values.Has("distance") {
		var err error
		if distanceM, err = strconv.ParseFloat(text, 64); err != nil || !(distanceM > 0 && distanceM <= farthestMastsM) {
			return parameterFault("distance", fmt.Sprintf("distance phải là số mét từ 0 đến %d", farthestMastsM), fmt.Sprintf("distance must be a number of metres up to %d", farthestMastsM))
		}
	}
	found, counts, err := a.Sites.ProposeSites(r.Context(), r.viewer, distanceM)
	if err != nil {
		return err
	}
	d := proposalsDocument{Date: a.ReferenceDate(), DistanceM: distanceM, Counts: counts,
		Proposals: found.Sites[:min(len(found.Sites), mostProposed)], Apart: found.Apart[:min(len(found.Apart), mostProposed)], Crowded: found.Crowded[:min(len(found.Crowded), mostProposed)],
		Links: []link{{Href: a.href(r, "/site-proposals", r.values), Rel: "self", Type: typeJSON}}}
	d.More = len(found.Sites) - len(d.Proposals)
	return reply(w, r, http.StatusOK, d)
}

// siteRequest is what is done to sites.
type siteRequest struct {
	Sites    []string `json:"sites"`
	Reason   string   `json:"reason"`
	Position string   `json:"position"`
	Site     string   `json:"site"`
}

// readSites reads a request, whose texts are compared.
func (a *api) readSites(w http.ResponseWriter, r *request) (given siteRequest, faults layer.Faults, err error) {
	if err := readDocument(w, r, &given); err != nil {
		return given, nil, err
	}
	compared := func(text *string, at string, most int) {
		if *text = norm.NFC.String(*text); utf8.RuneCountInString(*text) > most || !plainText(*text) && *text != "" {
			faults.Add(at, "dài quá %d ký tự hoặc có ký tự không dùng được", "is longer than %d characters or has some that cannot be used", most)
		}
	}
	const mostCode = 200
	for i := range given.Sites {
		compared(&given.Sites[i], fmt.Sprintf("/sites/%d", i), mostCode)
	}
	compared(&given.Position, "/position", mostCode)
	compared(&given.Site, "/site", mostCode)
	compared(&given.Reason, "/reason", mostReason)
	given.Reason = strings.TrimSpace(given.Reason)
	return given, faults, nil
}

// only adds faults for members that do not belong to the request.
func (g *siteRequest) only(faults *layer.Faults, members ...string) {
	for _, m := range []struct {
		name  string
		given bool
	}{{"position", g.Position != ""}, {"reason", g.Reason != ""}, {"site", g.Site != ""}, {"sites", g.Sites != nil}} {
		belongs := false
		for _, name := range members {
			belongs = belongs || name == m.name
		}
		if m.given && !belongs {
			faults.Add("/"+m.name, "không thuộc yêu cầu này", "does not belong to this request")
		}
	}
}

// several adds the fault of sites that are not several.
func (g *siteRequest) several(faults *layer.Faults) {
	if len(g.Sites) < 2 || len(g.Sites) > mostSites {
		faults.Add("/sites", "phải có từ 2 đến %d mã vị trí cột", "must be from 2 to %d codes of sites", mostSites)
	}
}

// sitesChangedDocument is what was done to sites, by which request it is reverted.
type sitesChangedDocument struct {
	layer.SitesChanged
	Request string `json:"request"`
	Links   []link `json:"links"`
}

func (a *api) sitesChanged(w http.ResponseWriter, r *request, done layer.SitesChanged, err error) error {
	if err != nil {
		return err
	}
	d := sitesChangedDocument{done, w.Header().Get(requestIDHeader), []link{}}
	if done.Applied {
		d.Links = append(d.Links, link{Href: a.href(r, "/changes", url.Values{"request": {d.Request}}), Rel: relRelated, Type: typeJSON})
	}
	return reply(w, r, http.StatusOK, d)
}

// mergeSites makes one site of several: the first of them.
func (a *api) mergeSites(w http.ResponseWriter, r *request) error {
	given, faults, err := a.readSites(w, r)
	if err != nil {
		return err
	}
	given.only(&faults, "sites")
	given.several(&faults)
	dryRun := flag(r.values, "dry_run", &faults)
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	done, err := a.Sites.MergeSites(r.Context(), r.viewer, given.Sites, a.ReferenceDate(), dryRun)
	return a.sitesChanged(w, r, done, err)
}

// splitSite takes a position off a shared site.
func (a *api) splitSite(w http.ResponseWriter, r *request) error {
	given, faults, err := a.readSites(w, r)
	if err != nil {
		return err
	}
	given.only(&faults, "position", "site")
	if given.Position == "" {
		faults.Add("/position", "bắt buộc phải có", "is required")
	}
	dryRun := flag(r.values, "dry_run", &faults)
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	done, err := a.Sites.SplitSite(r.Context(), r.viewer, layer.SiteSplit{Position: given.Position, Site: given.Site}, a.ReferenceDate(), dryRun)
	return a.sitesChanged(w, r, done, err)
}

// keepApart refuses a proposal: each of the sites is a mast of its own.
func (a *api) keepApart(w http.ResponseWriter, r *request) error {
	given, faults, err := a.readSites(w, r)
	if err != nil {
		return err
	}
	given.only(&faults, "sites", "reason")
	given.several(&faults)
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	if err := a.Sites.KeepApart(r.Context(), r.viewer, given.Sites, given.Reason, a.ReferenceDate()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
