package httpapi

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// typePage is the Content-Type of pages.
const typePage = typeHTML + "; charset=utf-8"

// Assets are the addresses, on the server itself, of what pages need beside their HTML: the
// script that draws maps, a style sheet, an icon. Pages do without those that are empty.
type Assets struct{ Script, Style, Icon string }

// ofPages lets a page load scripts, styles and data from its own server alone, and runs
// nothing that stands in the page itself.
var ofPages = []string{"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"}

//go:embed pages
var pageFiles embed.FS

// documentPage is the page of documents that have none of their own.
const documentPage = "document"

// pageTemplates are the pages by name, each within the layout.
var pageTemplates = func() map[string]*template.Template {
	layout := template.Must(template.New("").Funcs(template.FuncMap{"json": jsonText}).ParseFS(pageFiles, "pages/layout.html", "pages/parts.html"))
	all := map[string]*template.Template{}
	for _, name := range []string{"landing", "conformance", "collections", "collection", "schema", "items", "item", "openapi", "problem", "paper", "decisions", "sharing", "verification", documentPage} {
		all[name] = template.Must(template.Must(layout.Clone()).ParseFS(pageFiles, "pages/"+name+".html"))
	}
	return all
}()

// view is what a page shows, in one language. Addresses in it have neither host nor
// scheme, so that a page works by whatever name it was reached.
type view struct {
	Language string
	Title    string // of the page
	Site     string // of the whole
	Trail    []crumb
	Map      *mapView // nil for none
	Doc      any      // what the page is about

	Alternates           []link // the same in other encodings
	Assets               Assets
	Attribution, Version string

	base    string   // of absolute addresses of ours
	address *url.URL // of the page
	lang    string   // the language that the address names, "" for none
}

// crumb is a step on the way from the landing page; the last has no address.
type crumb struct{ Title, Href string }

// view begins a page in the request's language.
func (a *api) view(r *http.Request) *view {
	language := languageOf(r)
	v := &view{
		Language: language, Site: a.Title.In(language), Assets: a.Assets, Attribution: a.Attribution.In(language), Version: a.Version,
		base: a.base(&request{Request: r}), address: r.URL,
	}
	if lang := parameter(r, "lang"); isLanguage(lang) {
		v.lang = lang
	}
	v.Trail = []crumb{{v.say("at"), v.Local(root)}}
	v.Title = v.Site
	return v
}

// pageOf begins the page of a document below the landing page, with the way to it.
func (a *api) pageOf(r *request) *view {
	v := a.view(r.Request)
	path := root
	rest := strings.Trim(strings.TrimPrefix(r.URL.Path, root), "/")
	if rest == "" {
		return v
	}
	for step := range strings.SplitSeq(rest, "/") {
		path += "/" + url.PathEscape(step)
		v.Trail = append(v.Trail, crumb{a.stepTitle(r, step, v.Language), v.Local(path)})
		if path == root+"/verdicts" || path == root+"/sharing-requests" { // nobody is told of all of them, or not by a page
			v.Trail[len(v.Trail)-1].Href = ""
		}
	}
	v.Trail[len(v.Trail)-1].Href = ""
	steps := v.Trail[1:]
	if r.layer != nil {
		steps = steps[1:] // every layer is a collection
	}
	var titles []string
	for _, step := range steps {
		titles = append(titles, step.Title)
	}
	v.Title = strings.Join(titles, " – ")
	return v
}

// stepTitle is what a part of a path is called.
func (a *api) stepTitle(r *request, step, language string) string {
	if text, ok := pageTexts["at."+step]; ok {
		return text.In(language)
	}
	if r.layer != nil && r.layer.Name == step {
		return r.layer.Title.In(language)
	}
	if l, ok := a.Registry.Get(step); ok {
		return l.Title.In(language)
	}
	return step
}

// say is a text of the catalogue in the page's language.
func (v *view) say(key string) string { return pageTexts[key].In(v.Language) }

// T is a text of the catalogue, with args in it, for templates.
func (v *view) T(key string, args ...any) (string, error) {
	if _, ok := pageTexts[key]; !ok {
		return "", fmt.Errorf("the catalogue has no text %q", key)
	}
	if len(args) == 0 {
		return v.say(key), nil
	}
	return fmt.Sprintf(v.say(key), args...), nil
}

// Word is the catalogue's text for a word of documents, or the word itself.
func (v *view) Word(kind string, word any) string {
	if text, ok := pageTexts[kind+"."+fmt.Sprint(word)]; ok {
		return text.In(v.Language)
	}
	return fmt.Sprint(word)
}

// Bare is an address of ours without the host.
func (v *view) Bare(href string) string { return strings.TrimPrefix(href, v.base) }

// Local is an address of ours without the host, in the language that the page was asked in.
func (v *view) Local(href string) string {
	href = v.Bare(href)
	if v.lang == "" {
		return href
	}
	return withParameter(href, "lang", v.lang)
}

// In is the address of the page in a language.
func (v *view) In(language string) string {
	return withParameter(v.address.RequestURI(), "lang", language)
}

// Number is a whole number as people write it.
func (v *view) Number(n any) string { return localNumber(fmt.Sprint(n), v.Language) }

// Date is a date of a document as people write it.
func (v *view) Date(date any) string {
	day, _, _ := strings.Cut(fmt.Sprint(date), "T") // of an instant at midnight
	return localDate(day, v.Language)
}

// Root is the address of the API as programs are given it.
func (v *view) Root() string { return v.base + root }

// jsonText is a value for a script to read.
func jsonText(value any) (string, error) {
	text, err := encode(value)
	return string(text), err
}

// withParameter sets a parameter of an address, by words that need no escaping; an address
// that cannot be read stays as it is.
func withParameter(href, name, value string) string {
	if !strings.Contains(href, "?") {
		return href + "?" + name + "=" + value // every link to an item comes here
	}
	address, err := url.Parse(href)
	if err != nil {
		return href
	}
	q := address.Query()
	q.Set(name, value)
	address.RawQuery = q.Encode()
	return address.String()
}

// render makes a page.
func (v *view) render(name string) ([]byte, error) {
	var b bytes.Buffer
	if err := pageTemplates[name].ExecuteTemplate(&b, "layout.html", v); err != nil {
		return nil, fmt.Errorf("make the page %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// alternates link to a document in the encodings that it is not being sent in; data is the
// media type it has beside HTML.
func (a *api) alternates(r *request, data string) []link {
	if !r.pages {
		return nil
	}
	other, format := typeHTML, "html"
	if r.html {
		other, format = data, "json"
	}
	address := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	if r.URL.RawQuery != "" {
		address += "?" + r.URL.RawQuery
	}
	links := []link{{Href: a.base(r) + withParameter(address, "f", format), Rel: "alternate", Type: other}}
	if r.papers {
		links = append(links, link{Href: a.base(r) + withParameter(address, "f", "pdf"), Rel: "alternate", Type: typePDF})
	}
	return links
}

// selfType is the media type of an answer in the encoding asked for.
func (r *request) selfType(data string) string {
	if r.html {
		return typeHTML
	}
	return data
}
