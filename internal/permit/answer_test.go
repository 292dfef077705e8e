package permit

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"hatang/geo"
)

// fill puts random values into everything that can be set below v.
func fill(v reflect.Value, random *rand.Rand) {
	if date, ok := v.Addr().Interface().(*geo.Date); ok {
		if random.IntN(4) > 0 {
			*date = geo.NewDate(1900+random.IntN(300), 1, 1+random.IntN(365))
		}
		return
	}
	if at, ok := v.Addr().Interface().(*time.Time); ok {
		*at = time.Unix(random.Int64N(4e9), random.Int64N(3)*250_000_000).UTC()
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), random)
			}
		}
	case reflect.Pointer:
		if random.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), random)
		}
	case reflect.Slice:
		if random.IntN(4) > 0 {
			v.Set(reflect.MakeSlice(v.Type(), random.IntN(4), 4))
			for i := range v.Len() {
				fill(v.Index(i), random)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), random)
		}
	case reflect.Map:
		if random.IntN(4) > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range random.IntN(9) {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(key, random)
				fill(value, random)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.String:
		v.SetString(randomText(random))
	case reflect.Float64:
		numbers := []float64{0, random.NormFloat64(), random.NormFloat64() * 1e-9, random.NormFloat64() * 1e-100, random.NormFloat64() * 1e25, float64(random.IntN(1000)), 1e21, 1e-6}
		v.SetFloat(numbers[random.IntN(len(numbers))])
	case reflect.Int, reflect.Int64:
		v.SetInt(random.Int64N(3) * (random.Int64() - random.Int64()))
	case reflect.Bool:
		v.SetBool(random.IntN(2) == 0)
	}
}

func randomText(random *rand.Rand) string {
	pieces := []string{"", "A2b", "được phép", "\"", "\\", "<b>&", "\n\t\r\b\f\x00\x1f\x7f", "\u2028\u2029", "\xff\xc3", "𝔸", "\u00ff"}
	text := ""
	for range random.IntN(4) {
		text += pieces[random.IntN(len(pieces))]
	}
	return text
}

// The answer written by hand is that of encoding/json, byte for byte. A member that
// the type gains is missed here.
func TestAnswersAreWrittenAsEncodingJSONWritesThem(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	for range 3000 {
		var a Answer
		fill(reflect.ValueOf(&a).Elem(), random)
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(a); err != nil {
			t.Fatal(err)
		}
		if got := append(a.AppendJSON(nil, DetailFull), '\n'); !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("got  %s\nwant %s", got, want.Bytes())
		}
		checkLess(t, &a)
	}
}

// checkLess: less detail is the same JSON without some members.
func checkLess(t *testing.T, a *Answer) {
	t.Helper()
	var full, findings, verdict map[string]any
	for _, d := range []struct {
		detail Detail
		into   *map[string]any
	}{{DetailFull, &full}, {DetailFindings, &findings}, {DetailVerdict, &verdict}} {
		if err := json.Unmarshal(a.AppendJSON(nil, d.detail), d.into); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"findings", "alternatives"} {
		list, _ := full[name].([]any)
		for _, item := range list {
			for _, sentence := range []string{"measured", "required", "message"} {
				delete(item.(map[string]any), sentence)
			}
		}
	}
	if nearest, ok := full["nearest"].(map[string]any); ok {
		delete(nearest, "message")
	}
	if !reflect.DeepEqual(full, findings) {
		t.Fatalf("findings: %v\nwant %v", findings, full)
	}
	for _, name := range []string{"allowed_types", "provisional", "findings", "alternatives", "rule_set"} {
		delete(full, name)
	}
	if !reflect.DeepEqual(full, verdict) {
		t.Fatalf("verdict: %v\nwant %v", verdict, full)
	}
}
