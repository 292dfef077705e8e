// Package postgis holds all SQL and nothing but SQL: the pool, the schema, and the
// store through which every other room reads and writes features.
//
// Every method takes a Viewer, and what it may see and write is applied here, in one
// place: view.go and inPen.
// Layer and column names come from the registry, never from a request; values are
// always bound parameters.
package postgis
