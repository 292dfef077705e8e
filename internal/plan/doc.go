// Package plan reads plan packs: a plan and its demonstration features as data.
//
// A pack is a folder. pack.json holds the plan (period, phases, operators,
// indicators, projects, tables, known contradictions), rules.json the rule set for
// geo/zoning, and features/LAYER.geojson the features of a layer. Lengths are
// metres, areas square metres, money the decimal strings the plan prints; dates are
// civil. Nothing in Go names a province, a zone letter or a meridian.
//
// Decided: packs are folders read through fs.FS and one is embedded, instead of
// Go literals, because a second province is then data only. Parse refuses a pack
// with every fault at once, a *layer.InvalidError; it does not read the features,
// which are checked row by row when they are loaded.
package plan
