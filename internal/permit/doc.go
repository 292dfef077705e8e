// Package permit answers whether a mast may stand somewhere: it reads proposals,
// gathers the rule sets and what lies round them, has geo/zoning judge, and says what
// the answer was made from.
//
// A Checker answers from a Snapshot: of the whole register, which a Memory keeps for
// the reference date, or of what lies round the points, read for the question. Both
// give the same answer. A Batch judges the rows of a file or a stream.
//
// Decided: a snapshot in memory answers only while a question to the database, begun
// less than a second ago, has shown it to be the latest. Age counted from the last
// change heard of would be wrong as soon as a notification is lost. What changed is
// found by the transaction numbers in the history, so what is written with its
// triggers switched off (session_replication_role, a restore) is seen after the next
// restart of the database or of the server.
package permit
