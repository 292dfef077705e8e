package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// ParseJSON reads CQL2 JSON. It returns an *Error: of the byte where it is no JSON, or of
// every fault of form at its JSON pointer, or of every limit exceeded. Cost: one pass.
func ParseJSON(raw []byte) (Expr, error) {
	if len(raw) > MaxJSONBytes {
		return nil, wrong(TooLong, Place{Offset: MaxJSONBytes}, "bộ lọc dài hơn %d byte", "the filter is longer than %d bytes", MaxJSONBytes)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v any
	err := decoder.Decode(&v)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows")
		}
	}
	if err != nil {
		return nil, wrong(Syntax, Place{Offset: breaksAt(err, len(raw), int(decoder.InputOffset()))}, "bộ lọc không phải JSON", "the filter is not JSON")
	}
	r := &reader{}
	e := r.expr("", v, false)
	if err := r.err(); err != nil {
		return nil, err
	}
	return e, withinLimits(e)
}

// breaksAt is the byte at which length bytes are found to be no JSON: the one that may not
// stand there, the end where they are cut off, else the one after what was read.
func breaksAt(err error, length, read int) int {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return int(syntax.Offset) - 1
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return length
	}
	return read
}

// reader turns decoded JSON into a tree. Where there is a fault it returns nil, which
// nobody looks at: the faults are returned instead.
type reader struct {
	faults
	nested int
}

func at(pointer string) Place { return Place{Pointer: pointer, JSON: true} }

func below(pointer, member string) string {
	return pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(member)
}

func belowItem(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }

// expr reads a value; arrays are taken where one may stand.
func (r *reader) expr(pointer string, v any, mayBeArray bool) Expr {
	r.nested++
	defer func() { r.nested-- }()
	if r.nested > maxNesting {
		r.add(TooDeep, at(pointer), "bộ lọc lồng sâu hơn %d tầng", "the filter is nested deeper than %d", MaxDepth)
		return nil
	}
	switch v := v.(type) {
	case string:
		e, err := newText(at(pointer), v)
		return keep(r, e, err)
	case json.Number:
		n, ok := newNumber(at(pointer), v.String())
		if !ok {
			r.add(Syntax, at(pointer), "số %q quá lớn", "the number %q is too large", clip(v.String()))
		}
		return n
	case bool:
		return &Boolean{at(pointer), v}
	case []any:
		if mayBeArray {
			return r.list(pointer, v, true)
		}
	case map[string]any:
		return r.object(pointer, v)
	}
	r.add(Syntax, at(pointer), "không nhận giá trị này ở đây", "this value is not taken here")
	return nil
}

// keep records an error of one part.
func keep[E Expr](r *reader, e E, err error) Expr {
	var known *Error
	if errors.As(err, &known) {
		r.faults = append(r.faults, known.Faults...)
		return nil
	}
	return e
}

func (r *reader) list(pointer string, items []any, isArray bool) *List {
	l := &List{at(pointer), make([]Expr, len(items))}
	for i, v := range items {
		l.Items[i] = r.expr(belowItem(pointer, i), v, isArray)
	}
	return l
}

// literals are the objects that are no operators, by the member that tells them.
var literals = []string{"op", "property", "date", "timestamp", "interval", "bbox", "type"}

func (r *reader) object(pointer string, o map[string]any) Expr {
	kind := ""
	for _, name := range literals {
		if _, ok := o[name]; ok && kind == "" || name == "type" && ok {
			kind = name // a geometry may have a bbox, too
		}
	}
	known := map[string][]string{"op": {"op", "args"}, "type": {"type", "coordinates", "geometries", "bbox"}}[kind]
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if name != kind && !slices.Contains(known, name) {
			r.add(Syntax, at(below(pointer, name)), "không có thành phần %q ở đây", "there is no member %q here", clip(name))
		}
	}
	switch kind {
	case "op":
		return r.call(pointer, o)
	case "type":
		return r.geometry(pointer, o)
	case "interval":
		return r.interval(below(pointer, kind), o[kind], pointer)
	case "bbox":
		return r.box(below(pointer, kind), o[kind], pointer)
	case "":
		r.add(Syntax, at(pointer), "đối tượng phải có một trong: %s", "an object has one of: %s", strings.Join(literals, ", "))
		return nil
	}
	s, ok := o[kind].(string)
	if !ok {
		r.add(Syntax, at(below(pointer, kind)), "%s phải là chuỗi", "%s must be a string", kind)
		return nil
	}
	return r.named(pointer, kind, s)
}

func (r *reader) named(pointer, kind, s string) Expr {
	switch kind {
	case "date":
		e, err := newDate(at(pointer), s)
		return keep(r, e, err)
	case "timestamp":
		e, err := newTimestamp(at(pointer), s)
		return keep(r, e, err)
	}
	if !isProperty(s) {
		r.add(Syntax, at(below(pointer, kind)), "%q không phải tên", "%q is not a name", clip(s))
	}
	return &Property{at(pointer), s}
}

func (r *reader) call(pointer string, o map[string]any) Expr {
	name, _ := o["op"].(string)
	args, ok := o["args"].([]any)
	if !ok {
		r.add(Syntax, at(below(pointer, "args")), "args phải là danh sách", "args must be a list")
		return nil
	}
	op, known := operatorNamed(name)
	if !known {
		op = name
		if !isName(name) || words[strings.ToLower(name)] {
			r.add(Syntax, at(below(pointer, "op")), "không có phép %q", "there is no operator %q", clip(name))
		}
	}
	least, most := operands(operators[op])
	if known && (len(args) < least || most >= 0 && len(args) > most) {
		r.add(Syntax, at(below(pointer, "args")), "%s không nhận %d toán hạng", "%s does not take %d operands", op, len(args))
		return nil
	}
	call := &Call{at(pointer), op, make([]Expr, len(args))}
	for i, v := range args {
		place := belowItem(below(pointer, "args"), i)
		if list, isList := v.([]any); op == "in" && i == 1 {
			if !isList || len(list) == 0 {
				r.add(Syntax, at(place), "sau in phải là danh sách có ít nhất một giá trị", "in takes a list of one value or more")
				continue
			}
			call.Args[i] = r.list(place, list, false)
			continue
		}
		call.Args[i] = r.expr(place, v, !known || operators[op] == array)
	}
	return call
}

func (r *reader) interval(pointer string, v any, object string) Expr {
	ends, ok := v.([]any)
	if !ok || len(ends) != 2 {
		r.add(Syntax, at(pointer), "interval phải có hai đầu", "an interval has two ends")
		return nil
	}
	var read [2]Expr
	for i, end := range ends {
		place := belowItem(pointer, i)
		if s, isText := end.(string); isText {
			e, err := newEnd(at(place), s)
			read[i] = keep(r, e, err)
			continue
		}
		before := len(r.faults)
		read[i] = r.expr(place, end, false)
		if len(r.faults) == before && !canEnd(read[i]) {
			_ = keep(r, read[i], wrongEnd(at(place)))
		}
	}
	return &Interval{at(object), read[0], read[1]}
}

func (r *reader) box(pointer string, v any, object string) Expr {
	list, ok := v.([]any)
	n := make([]float64, len(list))
	for i, x := range list {
		number, isNumber := x.(json.Number)
		if isNumber {
			n[i], isNumber = coordinate(number.String())
		}
		ok = ok && isNumber
	}
	if !ok {
		r.add(Syntax, at(pointer), "bbox phải là danh sách số", "bbox must be a list of numbers")
		return nil
	}
	b, err := newBox(at(object), n)
	return keep(r, b, err)
}

// geometry reads a GeoJSON geometry.
func (r *reader) geometry(pointer string, o map[string]any) Expr {
	kind, _ := o["type"].(string)
	g := &Geometry{At: at(pointer), Kind: kind}
	if kind == "GeometryCollection" {
		return r.members(g, pointer, o["geometries"])
	}
	depth, ok := nesting[kind]
	if !ok {
		r.add(Syntax, at(below(pointer, "type")), "%q không phải loại hình học", "%q is no kind of geometry", clip(kind))
		return nil
	}
	dims := map[int]bool{}
	parts, err := positions(below(pointer, "coordinates"), o["coordinates"], depth, dims)
	if err == nil {
		err = g.complete(parts, dims)
	}
	return keep(r, g, err)
}

func (r *reader) members(g *Geometry, pointer string, v any) Expr {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		r.add(Syntax, at(below(pointer, "geometries")), "geometries phải là danh sách hình", "geometries must be a list of geometries")
		return nil
	}
	for i, v := range list {
		place := belowItem(below(pointer, "geometries"), i)
		o, _ := v.(map[string]any)
		if o == nil || o["type"] == "GeometryCollection" {
			r.add(Syntax, at(place), "phải là một hình, không phải tập hợp", "must be a geometry, and no collection")
			continue
		}
		if m, ok := r.geometry(place, o).(*Geometry); ok {
			g.Members = append(g.Members, m)
		}
	}
	return g
}

// positions reads coordinates that are nested so deep.
func positions(pointer string, v any, depth int, dims map[int]bool) ([][][]Position, error) {
	var parts [][][]Position
	part := func(pointer string, v any) error {
		var rings [][]Position
		err := each(pointer, v, func(pointer string, v any) error {
			ring, err := ring(pointer, v, dims)
			rings = append(rings, ring)
			return err
		})
		parts = append(parts, rings)
		return err
	}
	switch depth {
	case 0:
		p, err := position(pointer, v, dims)
		return [][][]Position{{{p}}}, err
	case 1:
		line, err := ring(pointer, v, dims)
		return [][][]Position{{line}}, err
	case 2:
		return parts0(part(pointer, v), &parts)
	default:
		return parts0(each(pointer, v, part), &parts)
	}
}

// parts0 returns the parts that a closure has filled by now.
func parts0(err error, parts *[][][]Position) ([][][]Position, error) { return *parts, err }

func ring(pointer string, v any, dims map[int]bool) ([]Position, error) {
	var ring []Position
	err := each(pointer, v, func(pointer string, v any) error {
		p, err := position(pointer, v, dims)
		ring = append(ring, p)
		return err
	})
	return ring, err
}

// each calls read for the items of a list that is not empty.
func each(pointer string, v any, read func(pointer string, v any) error) error {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return wrong(Syntax, at(pointer), "phải là danh sách toạ độ", "must be a list of coordinates")
	}
	for i, v := range list {
		if err := read(belowItem(pointer, i), v); err != nil {
			return err
		}
	}
	return nil
}

func position(pointer string, v any, dims map[int]bool) (Position, error) {
	var p Position
	list, ok := v.([]any)
	ok = ok && (len(list) == 2 || len(list) == 3)
	for i := 0; ok && i < len(list); i++ {
		number, isNumber := list[i].(json.Number)
		if isNumber {
			p[i], isNumber = coordinate(number.String())
		}
		ok = isNumber
	}
	if !ok {
		return p, wrong(Syntax, at(pointer), "toạ độ phải là hai hoặc ba số", "a position is two or three numbers")
	}
	dims[len(list)] = true
	return p, nil
}
