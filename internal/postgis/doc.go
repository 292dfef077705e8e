// Package postgis holds all SQL and nothing but SQL: the pool, the schema, and the
// store through which every other room reads and writes features.
//
// Every method takes a Viewer, and what it may see and write is applied here, in one
// place: view.go and inPen.
// Layer and column names come from the registry, never from a request; values are
// always bound parameters.
//
// Decided: reference layers are tables that functions of the database make, with the rights
// of the schema's owner, because the serving role must not make tables at its will; they
// take nothing on trust. A layer that is kept in another reference system has the
// geometry twice: as it came, which is the truth, and in WGS 84, generated from that and
// indexed, so that every read is as of any other layer and no box is ever taken into a grid.
//
// Decided: whether layers have changed is asked when an answer needs to know, at most once
// a second, and not by a listener of its own: nothing runs while nobody asks, and what
// nobody has proven for five seconds is not answered from.
//
// Decided: whose key or session it is is kept nowhere, because what is taken away must be gone
// at once, whoever took it away. One statement answers for all who ask at the same time, and
// begins after they asked.
package postgis
