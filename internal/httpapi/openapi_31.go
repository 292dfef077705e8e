package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// openapiOf31 is a document of 3.0 as 3.1 reads it, whose schemas are those of JSON Schema:
// it has no nullable, and null is a type among others.
func openapiOf31(v30 []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(v30))
	decoder.UseNumber()
	var doc map[string]any
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("read the document of 3.0: %w", err)
	}
	doc["openapi"] = "3.1.0"
	nullAsType(doc)
	return json.Marshal(doc)
}

// nullAsType turns nullable into the type null, in a value and all that is in it.
func nullAsType(value any) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			nullAsType(item)
		}
	case map[string]any:
		for _, member := range value {
			nullAsType(member)
		}
		nullable, given := value["nullable"].(bool)
		if !given {
			return // a property may be named so: its schema is no truth value
		}
		delete(value, "nullable")
		// Without a type a schema takes null as it takes all else.
		if name, typed := value["type"].(string); nullable && typed {
			value["type"] = []any{name, "null"}
			if allowed, listed := value["enum"].([]any); listed {
				value["enum"] = append(allowed, nil)
			}
		}
	}
}
