package filter

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON writes the tree as CQL2 JSON, from which ParseJSON reads the same tree.
func JSON(e Expr) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(jsonOf(e)); err != nil {
		panic(fmt.Sprintf("filter: maps of strings and finite numbers did not encode: %v", err))
	}
	return bytes.TrimSpace(b.Bytes())
}

func jsonOf(e Expr) any {
	switch e := e.(type) {
	case *Call:
		return map[string]any{"op": e.Op, "args": jsonAll(e.Args)}
	case *List:
		return jsonAll(e.Items)
	case *Property:
		return map[string]any{"property": e.Name}
	case *Text:
		return e.Value
	case *Number:
		return json.Number(e.digits())
	case *Boolean:
		return e.Value
	case *Date:
		return map[string]any{"date": e.Value.Format(dayForm)}
	case *Timestamp:
		return map[string]any{"timestamp": e.Value.Format(timeFor)}
	case *Interval:
		return map[string]any{"interval": []any{jsonEnd(e.From), jsonEnd(e.To)}}
	case *Box:
		return map[string]any{"bbox": e.numbers()}
	case *Geometry:
		return geoJSON(e)
	}
	return nil
}

func jsonAll(list []Expr) []any {
	all := make([]any, len(list))
	for i, e := range list {
		all[i] = jsonOf(e)
	}
	return all
}

func jsonEnd(e Expr) any {
	if s, ok := end(e); ok {
		return s
	}
	return jsonOf(e)
}

func geoJSON(g *Geometry) any {
	if g.Kind == "GeometryCollection" {
		members := make([]any, len(g.Members))
		for i, m := range g.Members {
			members[i] = geoJSON(m)
		}
		return map[string]any{"type": g.Kind, "geometries": members}
	}
	parts := make([][][][]float64, len(g.Parts))
	for i, part := range g.Parts {
		for _, ring := range part {
			line := make([][]float64, len(ring))
			for k, p := range ring {
				line[k] = p[:2]
				if g.Z {
					line[k] = p[:]
				}
			}
			parts[i] = append(parts[i], line)
		}
	}
	var coordinates any = parts
	switch nesting[g.Kind] {
	case 0:
		coordinates = parts[0][0][0]
	case 1:
		coordinates = parts[0][0]
	case 2:
		coordinates = parts[0]
	}
	return map[string]any{"type": g.Kind, "coordinates": coordinates}
}
