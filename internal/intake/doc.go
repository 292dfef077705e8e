// Package intake says what the rows of a stranger's file mean: which field of a layer each
// column is, what value each cell is, where each pair of numbers lies, which administrative
// unit a name stands for, and which rows are there twice. Package tables has read the file
// by then, and a store takes what is made of it.
//
// Everything is a function of its arguments: no clock, no database, no network, and the same
// file means the same every time. Nothing is guessed in silence: what is found out is in the
// Report with the way it was found, and what can be read in two ways is refused with both
// readings. All faults of a file are told at once.
//
// Decided: what columns are called is data (headings.go), and so are other words for the
// values of vocabularies (words.go); a new habit of some office is a line there.
package intake
