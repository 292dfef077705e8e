package formats

import (
	"encoding/json"
	"errors"
	"reflect"

	"hatang/internal/layer"
)

// AddJSONFault adds why JSON cannot be read as a feature or geometry: which member of it is
// not of the kind that it must be, in JSON's words.
func AddJSONFault(faults *layer.Faults, at string, err error) {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		faults.Add(at, "JSON hỏng: %v", "the JSON is broken: %v", err)
		return
	}
	if wrong.Field != "" {
		at += "/" + wrong.Field
	}
	if wrong.Type.Kind() == reflect.String {
		faults.Add(at, "phải là chuỗi", "must be a string")
		return
	}
	faults.Add(at, "phải là đối tượng JSON", "must be a JSON object")
}
