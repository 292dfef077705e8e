package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
	"hatang/internal/papers"
	"hatang/internal/permit"
	"hatang/internal/plan"
)

// Headings say what stands at the top of papers.
type Headings interface {
	// PaperHeading returns it for a province, "" for any, and a date; the zero Heading where
	// there is no plan.
	PaperHeading(ctx context.Context, province string, date geo.Date) (plan.Heading, error)
}

// typePDF is the media type of papers.
const typePDF = "application/pdf"

var (
	paperTypes   = []string{typeJSON, typeHTML, typePDF}
	paperFormats = []string{"json", "pdf"}
)

// asksForPDF reports whether a request asks for PDF where the media types are offered: by f,
// else by an Accept header that likes it best and does not only take anything.
func asksForPDF(r *http.Request, offers []string) bool {
	if !slices.Contains(offers, typePDF) {
		return false
	}
	if strings.Contains(r.URL.RawQuery, "f=") && r.URL.Query().Has("f") {
		return parameter(r, "f") == "pdf"
	}
	accept := r.Header.Get("Accept")
	return strings.Contains(strings.ToLower(accept), typePDF) && preferred(accept, offers) == typePDF
}

// showVerdictPaper sets a verdict that the viewer sees. As its JSON it is nobody else's.
func (a *api) showVerdictPaper(w http.ResponseWriter, r *request, record permit.Record) error {
	leave, err := a.limits.enterHeavy(r.viewer, r.Request)
	if err != nil {
		return err
	}
	defer leave()
	v, err := papers.ReadVerdict(record)
	if err != nil {
		return err
	}
	keys, err := a.Accounts.SigningKeys(r.Context())
	if err != nil {
		return err
	}
	var subject []papers.Feature
	if v.Place != nil {
		subject = append(subject, papers.Feature{Role: papers.Subject, Geometry: v.Place, Legend: v.Legend(r.language()), Colour: subjectColour})
	}
	s, err := a.paperSetting(r, v.Province, v.Date, subject, v.Evidence)
	if err != nil {
		return err
	}
	w.Header()["Cache-Control"] = noStore
	body, mediaType, err := a.paper(r, v.Paper(s, record.Verify(keys)))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Language", r.language())
	send(w, r, mediaType, body)
	return nil
}

// showDecisionPaper sets a decision with what the viewer may see of it.
func (a *api) showDecisionPaper(w http.ResponseWriter, r *request, found permit.RegisteredDecision) error {
	leave, err := a.limits.enterHeavy(r.viewer, r.Request)
	if err != nil {
		return err
	}
	defer leave()
	d := papers.Decision{RegisteredDecision: found}
	if found.Proposal != nil {
		file, err := a.Accounts.Proposal(r.Context(), r.viewer, *found.Proposal)
		if err != nil {
			return err
		}
		d.File = &file
		if err := d.Propose(); err != nil {
			return err
		}
	}
	subject, err := a.decided(r, &d)
	if err != nil {
		return err
	}
	evidence, err := d.Evidence()
	if err != nil {
		return err
	}
	s, err := a.paperSetting(r, "", d.DecidedOn, subject, evidence)
	if err != nil {
		return err
	}
	p, err := d.Paper(s)
	if err != nil {
		return err
	}
	body, mediaType, err := a.paper(r, p)
	if err != nil {
		return err
	}
	return a.answerBytes(w, r, mediaType, body)
}

// decided finds out where the features of a decision lie, as the viewer is shown them.
func (a *api) decided(r *request, d *papers.Decision) (subject []papers.Feature, err error) {
	if d.Places == nil {
		d.Places = make([]orb.Geometry, len(d.Features))
	}
	for i, one := range d.Features {
		shown, row, err := a.shape(r, one.Collection, one.ID)
		if err != nil {
			return nil, err
		}
		if row == nil && d.Places[i] == nil {
			continue
		}
		if d.Places[i] == nil {
			d.Places[i], d.Rounded = shown.Geometry, d.Rounded || row.ShownAs != 0
		}
		shown.Geometry = d.Places[i]
		shown.Role, shown.Label, shown.Legend, shown.Colour = papers.Subject, one.Code, d.Legend(r.language()), subjectColour
		subject = append(subject, shown)
	}
	return subject, nil
}

// paperSetting is what a paper is set with: its map shows the subject, the evidence and the
// units around, as the viewer is shown them.
func (a *api) paperSetting(r *request, province string, date geo.Date, subject []papers.Feature, evidence []zoning.Evidence) (papers.Setting, error) {
	s, err := a.paperWords(r, province, date)
	if err != nil {
		return s, err
	}
	s.Units = map[string]string{}
	s.Map, err = a.paperMap(r, &s, date, subject, evidence)
	return s, err
}

// paperWords is what the words of a paper are set with: no map, and no names of units.
func (a *api) paperWords(r *request, province string, date geo.Date) (papers.Setting, error) {
	s := papers.Setting{Language: r.language(), Layers: a.Registry.Get, Root: a.base(r) + root, Organisations: map[string]geo.Text{}}
	var err error
	if s.Heading, err = a.Accounts.PaperHeading(r.Context(), province, date); err != nil {
		return s, err
	}
	organisations, err := a.Accounts.Organisations(r.Context())
	if err != nil {
		return s, err
	}
	for _, o := range organisations {
		s.Organisations[o.Code] = o.Name
	}
	return s, nil
}

// paper makes a paper in the form that is asked for.
func (a *api) paper(r *request, p *papers.Paper) (body []byte, mediaType string, err error) {
	if r.pdf {
		body, err = p.PDF()
		return body, typePDF, err
	}
	v := a.pageOf(r)
	v.Title = p.Title + " " + p.Number
	v.Alternates = a.alternates(r, typeJSON)
	shown := paperView{Paper: p}
	for i := range p.Sections {
		section := paperSection{Section: &p.Sections[i]}
		if m := p.Sections[i].Map; m != nil {
			drawn, err := m.Draw()
			if err != nil {
				return nil, "", err
			}
			section.Picture = picture(drawn, m.Title)
		}
		shown.Sections = append(shown.Sections, section)
	}
	if address := p.Seal.Address; address != "" && len(address) <= papers.MaxQR {
		code, err := papers.QR(address, 30)
		if err != nil {
			return nil, "", err
		}
		shown.Code = picture(code, p.Seal.Address)
	}
	v.Doc = shown
	body, err = v.render("paper")
	return body, typePage, err
}

// paperView is what the page of a paper shows.
type paperView struct {
	*papers.Paper
	Sections []paperSection
	Code     template.HTML
}

// paperSection is a part of a paper, its map drawn.
type paperSection struct {
	*papers.Section
	Picture template.HTML
}

// Asked are the parameters of a page, for templates.
func (v *view) Asked() url.Values { return v.address.Query() }

// Outcomes are those of decisions, for templates.
func (v *view) Outcomes() []permit.FileState {
	return []permit.FileState{permit.Approved, permit.Refused}
}

// ShareStates are those of requests to share, for templates.
func (v *view) ShareStates() []permit.ShareState { return permit.ShareStates() }

// Paper is the address of a decision as PDF, in the page's language.
func (v *view) Paper(number any) string {
	return withParameter(withParameter(root+"/decisions/"+url.PathEscape(fmt.Sprint(number)), "f", "pdf"), "lang", v.Language)
}

// picture is a drawing for a template.
func picture(d papers.Drawing, title string) template.HTML {
	return template.HTML(d.SVG(title)) // whose texts are escaped where it is written
}

// replyPage is reply, or a page of the document where that is asked for.
func (a *api) replyPage(w http.ResponseWriter, r *request, document any) error {
	if !r.html {
		return reply(w, r, http.StatusOK, document)
	}
	body, err := encode(document)
	if err != nil {
		return err
	}
	if body, err = a.documentHTML(r, typeJSON, bytes.TrimSpace(body)); err != nil {
		return err
	}
	w.Header()["Cache-Control"] = noStore
	w.Header().Set("Content-Language", r.language())
	send(w, r, typePage, body)
	return nil
}

// valueOf is a value of a row as text; "" for none.
func valueOf(l *layer.Layer, row *layer.Row, field string) string {
	for i := range l.Fields {
		if f := &l.Fields[i]; f.Name == field && i < len(row.Values) {
			if text, ok, err := f.Kind.AppendText(nil, row.Values[i]); err == nil && ok {
				return string(text)
			}
		}
	}
	return ""
}
