// Package memory keeps in memory what answers are made from again and again: which
// version every layer has, who has which key and session, and the rows of the layers that
// tiles, pages and single features are made of, one set for each class of viewers that asks.
//
// Nothing is answered from memory that a question to the database, begun less than a
// second ago and after the last write of this process, has not shown to be the latest.
// Without that proof the database answers. What changes is read by itself and put into
// the set; a set that does not fit is not kept.
//
// Whose rows a set has is decided where all rights are, by the database's side: a set is
// what the class of viewers is handed, whole. Viewers whose rights end at borders, or
// hang on consultations, are not served from here, nor are questions with a
// filter, an order of their own or a time past, nor boxes of lines and areas, whose shapes
// the database knows.
package memory
