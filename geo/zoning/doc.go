// Package zoning judges where masts may stand. Rules are data: a RuleSet is read
// from JSON (ParseRuleSet) and says which mast types each class of zones allows,
// what makes a mast small, how far apart masts stand, when to share one, and whom
// to consult. Go code knows the kinds of rules and nothing of any province.
//
// Check is a pure function from a proposal, its surroundings and the rules to a
// Result: a verdict and, rule by rule, what was measured, what is required, the
// clause, the evidence, and a sentence in Vietnamese and English.
//
// # How a verdict follows
//
//	refused       a binding rule fails
//	undetermined  otherwise, a binding rule lacks a fact
//	conditional   otherwise, a condition is to be met or an advisory rule fails
//	permitted     otherwise
//
// Of several zones the strictest wins: the allowed types are the intersection of
// what the zones in force at the point allow. A zone's edge belongs to it. A zone
// that starts later changes nothing and is announced.
//
// # Rule sets
//
// A rule set is one JSON object: id, version, title, valid_from, valid_to, and the
// lists mast_classes, zone_classes, structure_rules, spacing_rules, sharing_rules,
// setback_rules and consultations (only zone_classes must be there). Every rule has
// rule (its id), title, effect (binding, advisory or condition), clause and source;
// status says what its figure is worth, messages replaces standard sentences. A
// number carries its unit in its name. testdata/invented.good.json has one of each.
// The statuses of a rule say which masts count that are published; drafts count in rules
// of spacing alone, whatever these say: see Draft.
// A mast that was refused to the proposer (Mast.Refusals) is not asked for by a rule of
// sharing for its refusal_months: 12 where it does not say, 0 for never.
//
// A new rule is data; a new kind of rule is one list, one file here, one fixture.
//
// A place is urban if its commune is, or if a covering zone is of an urban class;
// rural is what is neither urban nor densely populated. It is densely populated in an
// Area of that kind, which officers draw.
//
// # Accuracy
//
// Distances are geodesic on WGS 84. Where the point lies so near to a zone's edge,
// or a mast so near to the required distance, that the stated accuracy of the data
// would change the verdict, a binding rule is unknown. It stays as drawn where the
// verdict would be the same, and always for illustrative zones, whose verdict is
// marked provisional.
//
// # What is missing
//
// A field the proposal lacks makes exactly the rules that need it unknown, and
// Finding.Missing names it. A rule needs a field only if its value could matter:
// a mast 5 m high is no A1a, whatever the building.
//
// # Many proposals
//
// NewScene prepares the zones, masts, special areas and units of a whole country
// once. Scene.Check finds the territory a place lies in, judges by its rules (Rules)
// and gives what RuleSet.Check gives; Findings leaves the sentences out, and Verdict
// says the verdict alone without allocating. A scene never changes: With makes the
// next one after an edit, For another viewer's, and they share what is the same.
//
// # The nearest place
//
// Scene.Nearest finds where, nearest to a proposal's place, the same mast is permitted
// and nothing about the place speaks against it. It tries the places that good ones are
// bounded by, and Verdict judges each.
package zoning
