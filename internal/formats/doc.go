// Package formats reads and writes the files and bodies in which features travel.
// GeoJSON is written straight from the database's bytes, without a geometry object
// between, because a layer of 10⁶ features passes here on every full read. Files are read
// as GeoJSON and GeoPackages, by what they begin with (Open).
//
// Decided: a file that becomes a layer of its own is read twice, once to find out what
// its columns hold and once to bring it in, because the narrowest type of a column is
// known at the file's end alone; instead of holding it in memory.
//
// Decided: of what a GeoPackage declares, whole numbers are not believed where the column
// holds fractions, which SQLite allows and others cut off without a word.
//
// Decided: Excel's files are written by hand, as their rows come, into the one file that is
// sent; instead of by excelize, which keeps the sheet in files with names, without a limit.
// Shapefiles, too: their library knows neither .prj nor .cpg, and nobody keeps it any more.
//
// Decided: a format may be made for some layers alone (the Open Fibre Data Standard) and is
// then offered of these; it says nothing of others that GeoJSON does not say better.
package formats
