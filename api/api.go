// Package api holds the contract of the HTTP interface: the OpenAPI document, in
// which a collection is still a parameter, and the problem types.
package api

import _ "embed"

// OpenAPI is the OpenAPI 3.0.3 document in YAML. The server completes it from the
// registry of layers and serves it as JSON.
//
//go:embed openapi.yaml
var OpenAPI []byte

// Problems is the list of problem types in Markdown, one heading for each.
//
//go:embed problems.md
var Problems []byte
