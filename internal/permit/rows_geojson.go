package permit

import (
	"encoding/json"

	"hatang/geo"
)

// collectionCutter cuts the features out of a FeatureCollection, wherever its other
// members stand. A feature whose brackets do not balance ends the reading; one that
// is wrong in any other way is a bad row.
type collectionCutter struct {
	state  collectionState
	scan   bracketScan // within a value that goes on
	kind   string      // the collection's type
	crs    *geo.CRS    // of the features; nil: WGS 84
	listed bool        // the features have been seen
}

type collectionState uint8

const (
	beforeCollection collectionState = iota
	inCollection
	inMember // within the value of a member that nobody needs
	inFeatures
	afterCollection
)

func (c *collectionCutter) next(text []byte, atEnd bool) cut {
	s := scanner{text: text}
	s.space()
	if s.at == len(text) {
		return cut{advance: s.at, more: !atEnd && s.at == 0}
	}
	var k cut
	switch c.state {
	case beforeCollection:
		if !s.take('{') {
			return cut{err: noRows("đây không phải GeoJSON", "this is not GeoJSON")}
		}
		c.state = inCollection
		k = cut{advance: s.at}
	case inCollection:
		k = c.nextMember(&s)
	case inMember:
		n, done := c.scan.pass(text)
		if done {
			c.state = inCollection
		}
		k = cut{advance: n}
	case inFeatures:
		k = c.nextFeature(&s)
	case afterCollection:
		return cut{err: noRows("sau phần cuối GeoJSON còn có gì đó", "something follows the end of the GeoJSON")}
	}
	if k.more && atEnd {
		return cut{err: brokenOff()}
	}
	return k
}

// nextMember reads the name of a member of the collection and, of those that
// matter, the value.
func (c *collectionCutter) nextMember(s *scanner) cut {
	if s.take(',') {
		return cut{advance: s.at}
	}
	if s.take('}') {
		c.state = afterCollection
		return cut{advance: s.at}
	}
	if s.text[s.at] != '"' || len(s.text) > MaxRowBytes {
		return cut{err: noRows("JSON sai cú pháp giữa các thành phần của FeatureCollection", "the JSON is broken between the members of the FeatureCollection")}
	}
	name, ok := s.quoted()
	if !ok || !s.take(':') || s.atEnd() {
		return cut{more: true}
	}
	switch string(name) {
	case `"features"`:
		if !s.take('[') {
			return cut{err: noRows("\"features\" không phải một mảng", "\"features\" is not a list")}
		}
		c.state, c.listed = inFeatures, true
	case `"type"`, `"crs"`:
		var scan bracketScan
		n, done := scan.pass(s.text[s.at:])
		if !done {
			return cut{more: true}
		}
		if err := c.setMember(string(name), s.text[s.at:s.at+n]); err != nil {
			return cut{err: err}
		}
		s.at += n
	default:
		c.state, c.scan = inMember, bracketScan{}
	}
	return cut{advance: s.at}
}

func (c *collectionCutter) setMember(name string, value []byte) error {
	if name == `"type"` {
		if json.Unmarshal(value, &c.kind) != nil || c.kind != "FeatureCollection" {
			return noRows("kiểu là %s, phải là FeatureCollection", "the type is %s, and must be FeatureCollection", clip(string(value)))
		}
		return nil
	}
	var member struct {
		Properties struct {
			Name string `json:"name"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(value, &member); err != nil {
		return noRows("thành phần crs không đọc được", "the member crs cannot be read")
	}
	if member.Properties.Name == "" {
		return nil
	}
	crs, err := geo.ParseCRS(member.Properties.Name)
	if err != nil {
		return noRows("hệ toạ độ không được hỗ trợ: %q", "%q is not a supported reference system", clip(member.Properties.Name))
	}
	if crs.SRID() == geo.SRID {
		return nil // longitude first, whatever the authority says
	}
	if c.listed {
		return noRows("thành phần crs đứng sau các đối tượng mà nó nói tới", "the member crs stands after the features it speaks of")
	}
	c.crs = &crs
	return nil
}

func (c *collectionCutter) nextFeature(s *scanner) cut {
	switch {
	case s.take(','):
		return cut{advance: s.at}
	case s.take(']'):
		c.state = inCollection
		return cut{advance: s.at}
	case s.text[s.at] == '}':
		return cut{err: noRows("danh sách features không đóng đúng", "the list of features does not close as it should")}
	}
	c.scan = bracketScan{}
	n, done := c.scan.pass(s.text[s.at:])
	if !done {
		c.scan = bracketScan{} // skip begins at the beginning
		return cut{more: true}
	}
	row := rowText{from: int32(s.at), to: int32(s.at + n)}
	if n > MaxRowBytes {
		row = rowText{flaw: tooLong}
	}
	return cut{advance: s.at + n, row: row, found: true}
}

func (c *collectionCutter) skip(text []byte) (int, bool) { return c.scan.pass(text) }

func (c *collectionCutter) end() error {
	switch {
	case c.state == beforeCollection:
		return noRows("đầu vào trống", "the input is empty")
	case c.state != afterCollection:
		return brokenOff()
	case c.kind == "" || !c.listed:
		return noRows("đây không phải FeatureCollection: thiếu type hoặc features", "this is no FeatureCollection: it lacks type or features")
	}
	return nil
}

func brokenOff() error {
	return noRows("GeoJSON bị đứt giữa chừng", "the GeoJSON breaks off in the middle")
}

// bracketScan finds the end of a JSON value, as far as its brackets and strings tell,
// in pieces as they come.
type bracketScan struct {
	depth           int
	quoted, escaped bool
	begun           bool
}

// pass returns how much of the text belongs to the value, and whether it ends there.
func (b *bracketScan) pass(text []byte) (int, bool) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case b.escaped:
			b.escaped = false
		case b.quoted:
			b.escaped = c == '\\'
			b.quoted = c != '"'
			if !b.quoted && b.depth == 0 {
				return i + 1, true
			}
		case c == '"':
			b.quoted, b.begun = true, true
		case c == '{' || c == '[':
			b.depth++
			b.begun = true
		case c == '}' || c == ']':
			if b.depth == 0 { // ends what the value stands in
				return i, true
			}
			if b.depth--; b.depth == 0 {
				return i + 1, true
			}
		case b.depth == 0 && (c == ',' || b.begun && isSpace(c)):
			return i, true
		case !isSpace(c):
			b.begun = true
		}
	}
	return len(text), false
}
