// Package migrations holds the database schema: one forward-only SQL file per step,
// named NNNN_what.sql and never changed once released.
package migrations

import "embed"

// Files are the migrations in goose's format.
//
//go:embed *.sql
var Files embed.FS
