package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"hatang/internal/layer"
)

// readDocument reads a JSON object into a struct and reports every member that it does
// not know or that is of another type.
func readDocument(w http.ResponseWriter, r *request, into any) error {
	raw, err := readBody(w, r)
	if err != nil {
		return err
	}
	members, err := objectOf(raw)
	if err != nil {
		return err
	}
	var faults layer.Faults
	target := reflect.ValueOf(into).Elem()
	known := map[string]reflect.Value{}
	var names []string
	for i := range target.NumField() {
		name, _, _ := strings.Cut(target.Type().Field(i).Tag.Get("json"), ",")
		known[name] = target.Field(i)
		names = append(names, name)
	}
	for name, value := range members {
		at := "/" + escapePointer(name)
		field, ok := known[name]
		if !ok {
			faults.Add(at, "không có thành phần này; các thành phần: %s", "there is no such member; there are: %s", strings.Join(names, ", "))
			continue
		}
		faults = append(faults, readMember(at, value, field)...)
	}
	slices.SortFunc(faults, func(a, b layer.Fault) int { return strings.Compare(a.At, b.At) })
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	return nil
}

// unknownField is how encoding/json begins to say that it does not know a member.
const unknownField = "json: unknown field "

// readMember reads one member; what it holds itself must be known, too.
func readMember(at string, value json.RawMessage, field reflect.Value) layer.Faults {
	var faults layer.Faults
	decoder := json.NewDecoder(strings.NewReader(string(value)))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(field.Addr().Interface())
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
	case errors.As(err, &wrong):
		if wrong.Field != "" {
			at += "/" + strings.ReplaceAll(wrong.Field, ".", "/")
		}
		faults.Add(at, "sai kiểu: không nhận %s", "is of a wrong type: %s is not taken", wrong.Value)
	case strings.HasPrefix(err.Error(), unknownField): // which has no type of its own
		name := strings.Trim(strings.TrimPrefix(err.Error(), unknownField), `"`)
		faults.Add(at, "không có thành phần %q", "there is no member %q", name)
	default:
		faults.Add(at, "có thành phần lạ hoặc giá trị không đọc được", "has a member that is not known, or a value that cannot be read")
	}
	return faults
}

// reply sends a document that only the one who asked may see.
func reply(w http.ResponseWriter, r *request, status int, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	w.Header()["Cache-Control"] = noStore
	w.Header().Set("Content-Language", r.language())
	sendStatus(w, r, status, typeJSON, body)
	return nil
}

// done answers that something was done of which there is nothing to tell.
func done(w http.ResponseWriter) error {
	w.Header()["Cache-Control"] = noStore
	w.WriteHeader(http.StatusNoContent)
	return nil
}
