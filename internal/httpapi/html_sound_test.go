package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// voids are the elements that have no end.
var voids = []string{"meta", "link", "input", "br", "col", "circle", "line", "rect"}

// unbalanced names the first tag of a page that does not fit the ones around it, "" for none:
// what the parser would mend.
func unbalanced(page []byte) string {
	var open []string
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		kind := z.Next()
		name, _ := z.TagName()
		switch tag := string(name); {
		case kind == html.ErrorToken && errors.Is(z.Err(), io.EOF):
			return strings.Join(open, " ")
		case kind == html.ErrorToken:
			return z.Err().Error()
		case kind == html.StartTagToken && !slices.Contains(voids, tag):
			open = append(open, tag)
		case kind == html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tag {
				return "</" + tag + ">"
			}
			open = open[:len(open)-1]
		}
	}
}

// htmlElement is an htmlElement with what the rules ask of it.
type htmlElement struct {
	*html.Node
	attributes map[string]string
	text       string
}

// elements lists the elements of a page in their order.
func elements(t *testing.T, page []byte) []htmlElement {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var all []htmlElement
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		e := htmlElement{n, map[string]string{}, ""}
		for _, a := range n.Attr {
			e.attributes[a.Key] = a.Val
		}
		for inner := range n.Descendants() {
			if inner.Type == html.TextNode {
				e.text += inner.Data
			}
		}
		all = append(all, e)
	}
	return all
}

// faultsOf lists what is wrong with a page, whatever it is about.
func faultsOf(t *testing.T, page []byte, language string) (faults []string) {
	t.Helper()
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if !bytes.HasPrefix(page, []byte("<!doctype html>\n")) {
		wrong("no doctype")
	}
	if tag := unbalanced(page); tag != "" {
		wrong("tags do not fit at %s", tag)
	}
	all := elements(t, page)
	ids, labelled, count := map[string]bool{}, map[string]bool{}, map[atom.Atom]int{}
	for _, e := range all {
		count[e.DataAtom]++
		if id := e.attributes["id"]; id != "" {
			if ids[id] {
				wrong("two elements have the id %s", id)
			}
			ids[id] = true
		}
		if e.DataAtom == atom.Label && strings.TrimSpace(e.text) != "" {
			labelled[e.attributes["for"]] = true
		}
	}
	for name, want := range map[atom.Atom]int{atom.Html: 1, atom.Title: 1, atom.H1: 1, atom.Main: 1} {
		if count[name] != want {
			wrong("%d %s", count[name], name)
		}
	}
	for _, e := range all {
		elementFaults(e, ids, labelled, language, wrong)
	}
	return faults
}

// elementFaults holds one htmlElement against the rules.
func elementFaults(e htmlElement, ids, labelled map[string]bool, language string, wrong func(string, ...any)) {
	for name, value := range e.attributes {
		target := strings.TrimSpace(strings.ToLower(value))
		switch {
		case strings.HasPrefix(name, "on"), name == "style":
			wrong("%s has code in its attribute %s", e.Data, name)
		case name == "href" || name == "src" || name == "action":
			if !strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "#") || strings.HasPrefix(target, "//") {
				wrong("%s leads away, to %q", e.Data, value)
			}
		case name == "aria-describedby" || name == "aria-labelledby":
			if !ids[value] {
				wrong("%s is described by %q, which is not there", e.Data, value)
			}
		}
	}
	switch e.DataAtom {
	case atom.Html:
		if e.attributes["lang"] != language {
			wrong("the language is %q, not %q", e.attributes["lang"], language)
		}
	case atom.Title, atom.H1, atom.H2, atom.A, atom.Button, atom.Caption:
		if strings.TrimSpace(e.text) == "" {
			wrong("an empty %s", e.Data)
		}
	case atom.Input, atom.Textarea, atom.Select:
		if e.attributes["type"] != "hidden" && !labelled[e.attributes["id"]] {
			wrong("the field %s has no label", e.attributes["name"])
		}
	case atom.Th:
		if e.attributes["scope"] == "" {
			wrong("the table header %q has no scope", e.text)
		}
	case atom.Script:
		if e.attributes["src"] == "" || e.text != "" {
			wrong("a script stands in the page: %q", e.text)
		}
	case atom.Style:
		wrong("a style stands in the page")
	}
}

// The rules find what is wrong, or they hold nothing.
func TestUnsoundPagesAreFound(t *testing.T) {
	const head, foot = "<!doctype html>\n<html lang=\"vi\"><head><title>a</title></head><body><main><h1>b</h1>", "</main></body></html>"
	if faults := faultsOf(t, []byte(head+foot), "vi"); len(faults) > 0 {
		t.Errorf("a sound page has %v", faults)
	}
	for _, body := range []string{
		"<p><b></p></b>", "<div>", `<input id="x">`, `<label for="x"></label><input id="x">`, `<a href="javascript:alert(1)">x</a>`, `<a href="//elsewhere.example">x</a>`,
		`<a href="/x"></a>`, "<script>alert(1)</script>", `<p onclick="x">x</p>`, `<p style="color:red">x</p>`, "<table><tr><th>x</th></tr></table>", "<h1>c</h1>",
		`<p id="a">x</p><p id="a">y</p>`, `<p aria-describedby="none">x</p>`, "<style>p{}</style>",
	} {
		if len(faultsOf(t, []byte(head+body+foot), "vi")) == 0 {
			t.Errorf("nothing is found in %s", body)
		}
	}
	if len(faultsOf(t, []byte(head+foot), "en")) == 0 {
		t.Error("another language is not found")
	}
}
