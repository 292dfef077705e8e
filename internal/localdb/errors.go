package localdb

import (
	"errors"
	"fmt"
	"strings"
)

// ErrServing says that another process serves from this folder already.
var ErrServing = errors.New("another hatang serve already uses this folder")

// ErrForeign says that the folder holds something which is not Hatang's.
var ErrForeign = errors.New("the folder is not empty and was not made by hatang")

// ErrNoSpace says that the disk was full while the cluster was being made or started.
var ErrNoSpace = errors.New("no space left on the disk")

// ErrInUse says that a PostgreSQL server which no keeper of ours runs holds the data folder.
var ErrInUse = errors.New("another PostgreSQL server uses this data folder")

// VersionError says that the folder belongs to a PostgreSQL major version that is
// not installed.
type VersionError struct {
	DataDir   string // the data folder
	Want      int    // major version that wrote it
	Installed []int  // major versions found with PostGIS, newest first
}

// Error implements error.
func (e *VersionError) Error() string {
	found := "none"
	if len(e.Installed) > 0 {
		found = strings.Trim(fmt.Sprint(e.Installed), "[]")
	}
	return fmt.Sprintf("%s belongs to PostgreSQL %d, but the versions installed with PostGIS are: %s; install PostgreSQL %d (packages postgresql-%d and postgresql-%d-postgis-3)",
		e.DataDir, e.Want, found, e.Want, e.Want, e.Want)
}

// MissingError says which part of PostgreSQL or PostGIS was not found on the machine.
type MissingError struct {
	What   string   // what is missing, a noun phrase
	Looked []string // where it was looked for
}

// Error implements error.
func (e *MissingError) Error() string {
	msg := e.What + " was not found"
	if len(e.Looked) > 0 {
		msg += " (looked in " + strings.Join(e.Looked, ", ") + ")"
	}
	return msg + "; on Debian or Ubuntu run `apt-get install postgresql postgis` with the package postgresql-NN-postgis-3 of the same version (Debian 12: 15, Ubuntu 24.04: 16, Debian 13: 17), or set HATANG_PG_BIN to the folder that holds initdb and postgres"
}
