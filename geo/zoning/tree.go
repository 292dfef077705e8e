package zoning

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// maxDepth bounds the nesting of a rule set's JSON; ours needs seven levels.
const maxDepth = 32

// object is a JSON object that remembers the order of its keys.
type object struct {
	keys   []string
	values map[string]any
}

// parseTree reads one JSON document into *object, []any, string, json.Number,
// bool and nil. Duplicate keys and trailing data are faults; a syntax error is one
// fault, after which nothing more can be read.
func parseTree(body []byte, faults *faultList) (any, bool) {
	p := treeParser{json.NewDecoder(bytes.NewReader(body)), faults}
	p.dec.UseNumber()
	v, err := p.value("", 0)
	if err != nil {
		if !errors.Is(err, errTooDeep) {
			faults.add("", faultNotJSON, err.Error())
		}
		return nil, false
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		faults.add("", faultTrailing)
	}
	return v, true
}

type treeParser struct {
	dec    *json.Decoder
	faults *faultList
}

var errTooDeep = errors.New("nested too deep")

func (p treeParser) value(pointer string, depth int) (any, error) {
	if depth > maxDepth {
		p.faults.add(pointer, faultDeep, strconv.Itoa(maxDepth))
		return nil, errTooDeep
	}
	token, err := p.dec.Token()
	if err != nil {
		return nil, unexpectedEnd(err)
	}
	switch token {
	case json.Delim('{'):
		return p.object(pointer, depth)
	case json.Delim('['):
		return p.list(pointer, depth)
	default:
		return token, nil
	}
}

func (p treeParser) object(pointer string, depth int) (any, error) {
	o := &object{values: map[string]any{}}
	for p.dec.More() {
		token, err := p.dec.Token()
		if err != nil {
			return nil, unexpectedEnd(err)
		}
		key, ok := token.(string)
		if !ok { // the decoder refuses this itself; the check keeps us from trusting it
			return nil, errors.New("an object's key is not a string")
		}
		at := child(pointer, key)
		v, err := p.value(at, depth+1)
		if err != nil {
			return nil, err
		}
		if _, twice := o.values[key]; twice {
			p.faults.add(at, faultDuplicateKey)
			continue
		}
		o.keys = append(o.keys, key)
		o.values[key] = v
	}
	_, err := p.dec.Token()
	return o, unexpectedEnd(err)
}

func (p treeParser) list(pointer string, depth int) (any, error) {
	items := []any{}
	for p.dec.More() {
		v, err := p.value(pointer+"/"+strconv.Itoa(len(items)), depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	_, err := p.dec.Token()
	return items, unexpectedEnd(err)
}

// unexpectedEnd says in words that the document stops too early.
func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// child appends a key to a JSON pointer, escaped as RFC 6901 asks.
func child(pointer, key string) string {
	return pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
