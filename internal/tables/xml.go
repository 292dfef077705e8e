package tables

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"hatang/internal/layer"
)

// xmlStream reads XML an element at a time, in bounded memory: elements lie no deeper than
// maxDepth, a tag is no longer than maxTag, and between two calls of open only so much is
// read. Entities other than XML's own are refused, whatever a file declares.
type xmlStream struct {
	decoder *xml.Decoder
	gate    *gate
	depth   int
}

const (
	maxDepth = 64
	maxTag   = 64 << 10
)

func newXMLStream(in io.Reader, most int) *xmlStream {
	full := layer.Wrong("một phần tử dài hơn %d byte", "an element is longer than %d bytes", most)
	x := &xmlStream{gate: newGate(&tags{in: in}, most, full)}
	x.decoder = xml.NewDecoder(x.gate)
	x.decoder.CharsetReader = func(name string, in io.Reader) (io.Reader, error) {
		e, err := htmlindex.Get(name)
		if err != nil {
			return nil, layer.Wrong("không biết bảng mã %q", "the encoding %q is not known", cut(name, 40))
		}
		return e.NewDecoder().Reader(in), nil
	}
	return x
}

// open lets the next element be as long as is allowed.
func (x *xmlStream) open() { x.gate.open() }

// next returns the next token, io.EOF after the last. It is valid until the next call.
func (x *xmlStream) next() (xml.Token, error) {
	token, err := x.decoder.Token()
	if err != nil {
		return nil, x.plain(err)
	}
	switch token.(type) {
	case xml.StartElement:
		if x.depth++; x.depth > maxDepth {
			return nil, layer.Wrong("các phần tử XML lồng nhau hơn %d tầng", "elements of XML lie more than %d deep", maxDepth)
		}
	case xml.EndElement:
		x.depth--
	}
	return token, nil
}

// plain says in words where XML is broken.
func (x *xmlStream) plain(err error) error {
	var syntax *xml.SyntaxError
	var said *layer.ValueError
	switch {
	case errors.As(err, &said):
		return said
	case errors.As(err, &syntax) && syntax.Msg == "unexpected EOF":
		return layer.Wrong("XML kết thúc giữa chừng", "the XML ends in the middle")
	case errors.As(err, &syntax):
		return layer.Wrong("XML hỏng ở dòng %d: %s", "the XML is broken at line %d: %s", syntax.Line, cut(syntax.Msg, 100))
	case errors.Is(err, io.EOF):
		return err
	}
	return fmt.Errorf("read XML: %w", err)
}

// text reads the text of the element that has just begun, up to its end, elements in it left
// out but for their text.
func (x *xmlStream) text() (string, error) {
	var b strings.Builder
	for depth := 1; depth > 0; {
		token, err := x.next()
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			b.Write(token)
		}
	}
	return b.String(), nil
}

// skip passes over the element that has just begun.
func (x *xmlStream) skip() error {
	for depth := 1; depth > 0; {
		token, err := x.next()
		if err != nil {
			return err
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

// attribute is the value of an attribute of any namespace; "" for none.
func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// tags watches the lengths of tags, because the library makes sixteen times as much memory
// of attributes as they have bytes.
type tags struct {
	in     io.Reader
	state  byte // 0 text, '<' a tag, '"' and '\'' a value in it, '!' what may be a comment or CDATA, '-' and ']' these
	length int
	last   [9]byte // the latest bytes
}

// Read implements io.Reader.
func (t *tags) Read(p []byte) (int, error) {
	n, err := t.in.Read(p)
	for _, c := range p[:n] {
		t.step(c)
		if t.length > maxTag {
			return 0, layer.Wrong("một thẻ XML dài hơn %d byte", "a tag of XML is longer than %d bytes", maxTag)
		}
	}
	return n, err
}

// step takes one byte.
func (t *tags) step(c byte) {
	copy(t.last[:], t.last[1:])
	t.last[8] = c
	if t.length++; t.state != '<' && t.state != '"' && t.state != '\'' {
		t.length = 0
	}
	switch t.state {
	case 0:
		if c == '<' {
			t.state = '<'
		}
	case '<':
		switch {
		case c == '>':
			t.state = 0
		case c == '"' || c == '\'':
			t.state = c
		case c == '!' && t.length == 1:
			t.state = '!'
		}
	case '"', '\'':
		if c == t.state {
			t.state = '<'
		}
	case '!':
		switch {
		case string(t.last[5:]) == "<!--":
			t.state = '-'
		case string(t.last[:]) == "<![CDATA[":
			t.state = ']'
		case c == '>':
			t.state = 0
		}
	case '-', ']':
		if c == '>' && t.last[7] == t.state && t.last[6] == t.state {
			t.state = 0
		}
	}
}
