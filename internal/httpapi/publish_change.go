package httpapi

import (
	"net/http"

	"hatang/geo"
	"hatang/internal/layer"
)

// layerChange is what a change of a layer says.
type layerChange struct {
	Name       *string   `json:"name"`
	Title      *textEdit `json:"title"`
	Doc        *textEdit `json:"description"`
	Colour     *string   `json:"colour"`
	Visibility *string   `json:"visibility"`
}

// textEdit changes a text in the languages given.
type textEdit struct {
	VI *string `json:"vi"`
	EN *string `json:"en"`
}

func (e *textEdit) of(text geo.Text) *geo.Text {
	if e == nil {
		return nil
	}
	if e.VI != nil {
		text.VI = *e.VI
	}
	if e.EN != nil {
		text.EN = *e.EN
	}
	return &text
}

// changeLayer changes what a merge patch has of a reference layer.
func (a *api) changeLayer(w http.ResponseWriter, r *request) error {
	if err := mustBePublished(r.layer); err != nil {
		return err
	}
	var asked layerChange
	if err := readDocument(w, r, &asked); err != nil {
		return err
	}
	c := layer.ReferenceChange{Name: asked.Name, Title: asked.Title.of(r.layer.Title), Doc: asked.Doc.of(r.layer.Doc), Colour: asked.Colour}
	faults := c.Faults()
	if v := asked.Visibility; v != nil {
		staff := *v == "staff"
		c.StaffOnly = &staff
		if !staff && *v != "public" {
			faults.Add("/visibility", "visibility phải là public hoặc staff", "visibility must be public or staff")
		}
	}
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	if err := a.Publisher.ChangeLayer(r.Context(), r.viewer, r.layer.Name, c); err != nil {
		return fileProblem(err)
	}
	if c.Name != nil {
		w.Header().Set("Content-Location", a.href(r, "/collections/"+*c.Name, nil))
	}
	return done(w)
}

// withdrawLayer takes a reference layer away.
func (a *api) withdrawLayer(w http.ResponseWriter, r *request) error {
	if err := mustBePublished(r.layer); err != nil {
		return err
	}
	if err := a.Publisher.WithdrawLayer(r.Context(), r.viewer, r.layer.Name); err != nil {
		return err
	}
	return done(w)
}

// mustBePublished refuses layers that are part of the program.
func mustBePublished(l *layer.Layer) error {
	if l.Reference == nil {
		return problem(forbidden, "Lớp này là một phần của chương trình; chỉ lớp tham khảo mới đổi hoặc gỡ được.", "The collection is part of the program; only reference layers are changed or withdrawn.")
	}
	return nil
}
