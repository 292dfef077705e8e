// Package filter is CQL2 1.0, the filter language of OGC API – Features: its text and
// its JSON form are read into one tree, printed back from it, checked against the
// properties that a caller has, and written as a condition of PostgreSQL with PostGIS.
//
// The way of a filter is ParseText or ParseJSON, perhaps Transform, then Check, then
// SQL. What Check has not passed cannot become SQL, and what a user wrote never stands
// in the text of the SQL: texts, numbers and geometries are bound, names of columns are
// the caller's. The SQL is total: whatever a row holds, it is true, false or unknown,
// and never an error, since an error would tell of rows that nobody is to see.
//
// Unknown is not true: a predicate on a property without a value selects nothing, and
// neither does its negation (SQL's logic of three values, which the standard follows).
//
// Decided: written by hand, because positions, limits and both forms belong to one
// tree; text is compared by code point, CASEI is lower(upper()) of ICU's root locale,
// ACCENTI drops combining marks and takes đ for d; arithmetic is in double precision and
// is unknown where it has no finite value; a date beside a timestamp is its midnight, UTC.
package filter
