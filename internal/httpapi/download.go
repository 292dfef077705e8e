package httpapi

import (
	"errors"
	"mime"
	"net/http"

	"hatang/internal/formats"
	"hatang/internal/layer"
)

// downloadParameters are the parameters of downloads beside the layer's own fields:
// those of items but for the pages.
func downloadParameters() []string {
	return []string{"bbox", "bbox-crs", "crs", "datetime", "filter", "filter-lang", "filter-crs", "properties", "skipGeometry", "sortby", "decimals", "bom", "f", knownAtName}
}

// downloadFeatures is all that is selected of a layer, in one file, with its heights.
// Nothing is counted, and nothing in it tells when it was made.
func (a *api) downloadFeatures(w http.ResponseWriter, r *request) error {
	p, faults := parseListing(r.URL.RawQuery, r.layer, a.ReferenceDate(), downloadParameters())
	if err := remembers(r, p.values); err != nil {
		return err
	}
	p.query.KnownAt = a.knownAtIn(p.values, &faults)
	p.readOutput(r, &faults)
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	p.sheet.WithZ = true
	p.query.Limit = 0
	versions, known, err := a.knownAlready(w, r, &p)
	if known || err != nil {
		return err
	}
	p.query.NoOlder = versions[r.layer.Name] // what the ETag says
	w.Header().Set("Content-Disposition", p.attachment(r.layer))
	d := &download{api: a, r: r, p: p, out: a.answerTo(w, r, contentType(&p.format))}
	err = d.write()
	if errors.Is(err, errHeadDone) {
		return nil
	}
	return tooLarge(err, &p.format)
}

// attachment names the file: the layer, and the day that it shows.
func (p *listing) attachment(l *layer.Layer) string {
	name := l.Name
	if !p.query.Date.IsZero() {
		name += "-" + p.query.Date.String()
	}
	return mime.FormatMediaType("attachment", map[string]string{"filename": name + p.format.Extensions[0]})
}

// tooLarge says of a file that grew over its limit, or whose format has no room for a row,
// what else can be asked for.
func tooLarge(err error, f *formats.Format) error {
	var misfit *formats.UnfitError
	if errors.As(err, &misfit) {
		return parameterFault("f", misfit.Text.VI, misfit.Text.EN)
	}
	if !errors.Is(err, formats.ErrTooLarge) {
		return err
	}
	return parameterFault("f", "Tệp "+f.Title+" sẽ lớn hơn 1 GiB; hãy thu hẹp bằng bbox hay filter, hoặc chọn f=geojson.",
		"The "+f.Title+" file would be larger than 1 GiB; narrow it with bbox or filter, or choose f=geojson.")
}

// download is a layer on its way out.
type download struct {
	api    *api
	r      *request
	p      listing
	out    spool
	writer formats.Writer
}

func (d *download) write() (err error) {
	if d.out.large, err = d.large(); err != nil {
		return err
	}
	if d.out.large && d.out.head {
		return d.out.begin()
	}
	key := d.out.w.Header().Get("ETag")
	if d.p.format.InFile {
		if f := d.api.made.find(key); f != nil {
			defer f.release()
			return f.send(d.out.w, d.r, d.out.mediaType)
		}
	}
	if d.writer, err = d.p.format.New(d.p.sheet); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.writer.Close()) }()
	defer d.out.stop()
	if d.out.buf, err = d.writer.Begin(d.out.buf); err != nil {
		return err
	}
	if !d.p.nowhere {
		if err := d.api.Store.Features(d.r.Context(), d.r.viewer, d.r.layer, d.p.query, d.add); err != nil {
			return err
		}
	}
	if d.out.buf, err = d.writer.End(d.out.buf); err != nil {
		return err
	}
	if f := d.writer.File(); f != nil {
		return d.api.sendNew(d.out.w, d.r, d.out.mediaType, key, f)
	}
	return d.out.close()
}

func (d *download) add(row *layer.Row) (err error) {
	if d.out.buf, err = d.writer.Append(d.out.buf, row); err != nil {
		return err
	}
	return d.out.settle()
}

// large reports whether the answer is certain to be longer than those that are complete
// before their first byte, because the layer has so many rows. Then it begins with the
// first rows. What is narrowed, or past, is not looked at: that could cost as much as the answer.
func (d *download) large() (bool, error) {
	q := d.p.query
	if d.p.format.InFile || d.p.nowhere || !q.KnownAt.IsZero() || q.Boxes != nil || q.Equal != nil || q.Filter != nil {
		return false, nil
	}
	least, err := d.p.format.LeastBytes(d.p.sheet)
	if least == 0 || err != nil {
		return false, err
	}
	return d.api.Store.HasMore(d.r.Context(), d.r.viewer, d.r.layer, q, maxComplete/least)
}
