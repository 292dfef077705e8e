package httpapi

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Sharing are requests to share and to build together. Every method knows only what the
// viewer has to do with, but for the figures, which are public.
type Sharing interface {
	// SharingRequests returns what q selects, the newest first.
	SharingRequests(ctx context.Context, v account.Viewer, q permit.ShareQuery) ([]permit.ShareRequest, error)
	// SharingRequest returns one as on a day; ErrNotFound.
	SharingRequest(ctx context.Context, v account.Viewer, number string, today geo.Date) (permit.ShareRequest, error)
	// AskToShare asks; ErrForbidden, ErrConflict.
	AskToShare(ctx context.Context, v account.Viewer, n permit.NewShare) error
	// DecideShare takes one step; ErrForbidden, ErrConflict, ErrStale.
	DecideShare(ctx context.Context, v account.Viewer, number string, d permit.ShareDecision) (permit.ShareState, int64, error)
	// SharingFigures counts all.
	SharingFigures(ctx context.Context) ([]permit.SharingFigures, error)
}

const sharingPath = "/sharing-requests"

func sharingQuery() []string {
	return []string{"after", "asked_from", "asked_to", "collection", "limit", "organisation", "overdue", "state"}
}

// listSharing lists what the viewer has to do with, the newest first.
func (a *api) listSharing(w http.ResponseWriter, r *request) error {
	var faults layer.Faults
	q := permit.ShareQuery{State: permit.ShareState(r.values.Get("state")), Organisation: plainIn(r, "organisation", &faults), Collection: r.values.Get("collection"),
		From: dayIn(r, "asked_from", &faults), To: dayIn(r, "asked_to", &faults), Overdue: flag(r.values, "overdue", &faults), Today: a.ReferenceDate(),
		After: r.values.Get("after"), Limit: int(numberIn(r, "limit", defaultConsultations, mostConsultations, &faults))}
	if r.values.Has("state") && !slices.Contains(permit.ShareStates(), q.State) {
		faults.Add("state", "state phải là một trong: %s", "state must be one of: %s", joined(permit.ShareStates()))
	}
	if r.values.Has("collection") && !slices.Contains(permit.SharedLayers(), q.Collection) {
		faults.Add("collection", "collection phải là một trong: %s", "collection must be one of: %s", joined(permit.SharedLayers()))
	}
	if r.values.Has("after") && !permit.ValidShareNumber(q.After) {
		faults.Add("after", "không phải số của đề nghị dùng chung", "is no number of a request to share")
	}
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	limit := q.Limit
	q.Limit++ // whether there are more
	found, err := a.Accounts.SharingRequests(r.Context(), r.viewer, q)
	if err != nil {
		return err
	}
	found, links := pageOf(a, r, sharingPath, found, limit, func(s permit.ShareRequest) string { return s.Number })
	return reply(w, r, http.StatusOK, map[string]any{"sharing_requests": found, "links": links})
}

// dayIn reads a parameter that is a day; zero where it is not given.
func dayIn(r *request, name string, faults *layer.Faults) geo.Date {
	if !r.values.Has(name) {
		return geo.Date{}
	}
	d, err := geo.ParseDate(r.values.Get(name))
	if err != nil {
		faults.Add(name, "%s phải là ngày dạng YYYY-MM-DD", "%s must be a date of the form YYYY-MM-DD", name)
	}
	return d
}

func (a *api) showSharing(w http.ResponseWriter, r *request) error {
	number := r.param("sharingNumber")
	if !permit.ValidShareNumber(number) {
		return layer.ErrNotFound
	}
	s, err := a.Accounts.SharingRequest(r.Context(), r.viewer, number, a.ReferenceDate())
	if err != nil {
		return err
	}
	w.Header().Set("ETag", rowTag(s.Revision))
	return reply(w, r, http.StatusOK, s)
}

// sharingFigures shows the counts of the public register.
func (a *api) sharingFigures(w http.ResponseWriter, r *request) error {
	figures, err := a.Accounts.SharingFigures(r.Context())
	if err != nil {
		return err
	}
	return a.answer(w, r, typeJSON, map[string]any{"figures": figures})
}

// givenShare is a request as a client makes it.
type givenShare struct {
	Feature *struct {
		Collection string `json:"collection"`
		ID         int64  `json:"id"`
	} `json:"feature"`
	Together *struct {
		Collection string   `json:"collection"`
		Lon        *float64 `json:"lon"`
		Lat        *float64 `json:"lat"`
		Partners   []string `json:"partners"`
	} `json:"together"`
	Wanted  permit.Wanted `json:"wanted"`
	Reasons string        `json:"reasons"`
}

// askToShare asks, as the viewer's organisation.
func (a *api) askToShare(w http.ResponseWriter, r *request) error {
	var given givenShare
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	n, faults := given.read()
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	n.Today = a.ReferenceDate()
	n.Number = permit.NewShareNumber(n.Today)
	if err := a.Accounts.AskToShare(r.Context(), r.viewer, n); err != nil {
		return sharingProblem(err)
	}
	w.Header().Set("Location", a.href(r, sharingPath+"/"+n.Number, nil))
	return reply(w, r, http.StatusCreated, map[string]string{"number": n.Number})
}

// read returns the request, and all that is wrong with it.
func (g givenShare) read() (n permit.NewShare, faults layer.Faults) {
	n.Wanted = g.Wanted
	n.Reasons = textOf("/reasons", g.Reasons, permit.MaxReasonsRunes, &faults)
	if n.Reasons == "" {
		faults.Add("/reasons", "bắt buộc phải có", "is required")
	}
	if (g.Feature == nil) == (g.Together == nil) {
		faults.Add("", "phải có feature hoặc together, và chỉ một", "needs feature or together, and one alone")
	}
	at := "/feature"
	if f := g.Feature; f != nil {
		if n.Collection, n.Feature = f.Collection, f.ID; f.ID < 1 {
			faults.Add("/feature/id", "phải là id của một đối tượng", "must be the id of a feature")
		}
	} else if t := g.Together; t != nil {
		at, n.Collection = "/together", t.Collection
		n.Partners = g.partners(&faults)
		if t.Lon == nil || t.Lat == nil || math.Abs(*t.Lon) > 180 || math.Abs(*t.Lat) > 90 {
			faults.Add("/together/lon", "phải có lon và lat, tính bằng độ", "needs lon and lat, in degrees")
		} else {
			n.Point = &[2]float64{*t.Lon, *t.Lat}
		}
	}
	if (g.Feature != nil || g.Together != nil) && !slices.Contains(permit.SharedLayers(), n.Collection) {
		faults.Add(at+"/collection", "phải là một trong: %s", "must be one of: %s", joined(permit.SharedLayers()))
	}
	quantitiesOf("/wanted", []quantity{{"height_m", n.Wanted.HeightM, nil}, {"fibres", nil, n.Wanted.Fibres}, {"ways", nil, n.Wanted.Ways}, {"poles", nil, n.Wanted.Poles}}, 1, &faults)
	if len(n.Wanted.Technologies) > permit.MaxTechnologies {
		faults.Add("/wanted/technologies", "nhiều nhất %d", "must be at most %d", permit.MaxTechnologies)
	}
	for i, technology := range n.Wanted.Technologies {
		n.Wanted.Technologies[i] = textOf("/wanted/technologies/"+strconv.Itoa(i), technology, 20, &faults)
	}
	return n, faults
}

// partners are those to build with, each once.
func (g givenShare) partners(faults *layer.Faults) (partners []string) {
	if len(g.Together.Partners) < 1 || len(g.Together.Partners) > permit.MaxPartners {
		faults.Add("/together/partners", "phải có từ 1 đến %d đơn vị", "must have 1 to %d organisations", permit.MaxPartners)
	}
	for i, code := range g.Together.Partners {
		if code = textOf("/together/partners/"+strconv.Itoa(i), code, 200, faults); !slices.Contains(partners, code) {
			partners = append(partners, code)
		}
	}
	return partners
}

// textOf is a text without spaces round it, in NFC; a fault where it is longer than most or
// no text.
func textOf(at, s string, most int, faults *layer.Faults) string {
	s = norm.NFC.String(strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })) // nor is what nobody sees a text
	if utf8.RuneCountInString(s) > most || !plainText(s) {
		faults.Add(at, "dài nhất %d ký tự", "must have at most %d characters", most)
	}
	return s
}

// quantity is a number of a request: of metres or kilograms, or of things.
type quantity struct {
	name   string
	amount *float64
	count  *int64
}

// quantitiesOf adds the faults of numbers: what is counted is from least on.
func quantitiesOf(at string, quantities []quantity, least int64, faults *layer.Faults) {
	for _, f := range quantities {
		if f.amount != nil && !(*f.amount >= 0 && *f.amount <= permit.MaxShared) || f.count != nil && (*f.count < least || *f.count > permit.MaxShared) {
			faults.Add(at+"/"+f.name, "phải từ %d đến %d", "must be from %d to %d", least, permit.MaxShared)
		}
	}
}

// givenShareStep is a step as a client asks for it.
type givenShareStep struct {
	Action    string                `json:"action"`
	Revision  int64                 `json:"revision"`
	Reasons   string                `json:"reasons"`
	Capacity  *permit.Capacity      `json:"capacity"`
	Agreement *permit.Agreement     `json:"agreement"`
	Document  *permit.ShareDocument `json:"document"`
}

// decideSharing takes one step on a request, at the revision that it is decided on.
func (a *api) decideSharing(w http.ResponseWriter, r *request) error {
	number := r.param("sharingNumber")
	if !permit.ValidShareNumber(number) {
		return layer.ErrNotFound
	}
	var given givenShareStep
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	d, faults := given.read()
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	var err error
	if d.Revision, err = decidedOn(r.Request, given.Revision); err != nil {
		return sharingProblem(err)
	}
	d.Today = a.ReferenceDate()
	state, revision, err := a.Accounts.DecideShare(r.Context(), r.viewer, number, d)
	if err != nil {
		return sharingProblem(err)
	}
	w.Header().Set("ETag", rowTag(revision))
	return reply(w, r, http.StatusOK, map[string]any{"state": state, "revision": revision})
}

// read returns the step, and all that is wrong with it.
func (g givenShareStep) read() (d permit.ShareDecision, faults layer.Faults) {
	d = permit.ShareDecision{Action: permit.ShareAction(g.Action), Reasons: textOf("/reasons", g.Reasons, permit.MaxReasonsRunes, &faults),
		Capacity: g.Capacity, Agreement: g.Agreement, Document: g.Document}
	is := func(actions ...permit.ShareAction) bool { return slices.Contains(actions, d.Action) }
	if !slices.Contains(permit.ShareActions(), d.Action) {
		faults.Add("/action", "action phải là một trong: %s", "action must be one of: %s", joined(permit.ShareActions()))
	}
	if is(permit.ShareDecline, permit.ShareRefuse) && d.Reasons == "" {
		faults.Add("/reasons", "bắt buộc phải có ở bước này", "is needed in this step")
	}
	addWhere(&faults, map[string]bool{"/capacity": d.Capacity != nil && !is(permit.ShareAccept, permit.ShareDecline), "/agreement": d.Agreement != nil && !is(permit.ShareAccept, permit.ShareAgree)},
		"bước này không có", "is no part of this step")
	if c := d.Capacity; c != nil {
		quantitiesOf("/capacity", []quantity{{"places", nil, c.Places}, {"height_m", c.HeightM, nil}, {"load_kg", c.LoadKg, nil}, {"fibres", nil, c.Fibres}, {"ways", nil, c.Ways}, {"poles", nil, c.Poles}}, 0, &faults)
	}
	if agreed := d.Agreement; agreed != nil {
		agreed.Terms = textOf("/agreement/terms", agreed.Terms, permit.MaxReasonsRunes, &faults)
		if len(agreed.Shares) > permit.MaxPartners+1 {
			faults.Add("/agreement/shares", "nhiều nhất %d", "must be at most %d", permit.MaxPartners+1)
		}
	}
	if paper := d.Document; paper != nil {
		paper.Number = textOf("/document/number", paper.Number, 200, &faults)
	}
	return d, faults
}

// sharingProblem says what stands in the way of a step on a request to share.
func sharingProblem(err error) error {
	return steps{
		forbidden: geo.Text{VI: "Bước này không dành cho bạn; không ai quyết định cho cả hai bên.", EN: "The step is for others; nobody acts on both sides of a request."},
		stale:     geo.Text{VI: "Đề nghị đã thay đổi từ khi bạn đọc; hãy đọc lại rồi quyết định.", EN: "The request has changed since you read it; read it again, then decide."},
		conflict:  geo.Text{VI: "Ở trạng thái này đề nghị không có bước ấy; xem actions của đề nghị.", EN: "The request has no such step in its state; see its actions."},
	}.problem(err)
}
