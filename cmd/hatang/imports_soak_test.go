//go:build soak

package main

import (
	"testing"

	"hatang/geo"
	"hatang/internal/httpapi"
)

// However often a server dies over imports, each is done as a whole or not at all.
func TestSoakKilledImports(t *testing.T) { killImports(t, 100) }

// A file may have a million features, and not one more.
func TestSoakImportsHaveALimit(t *testing.T) {
	fileLimit(t, importReader{newRegister(t).store, func() geo.Date { return geo.NewDate(2020, 12, 31) }, httpapi.MaxFileFeatures})
}
