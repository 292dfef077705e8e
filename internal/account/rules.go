package account

import "slices"

// DraftsRules reports whether the viewer drafts the rule sets of a jurisdiction: who writes
// features of all layers there.
func (v Viewer) DraftsRules(jurisdiction string) bool { return v.rulesFor(jurisdiction, Role.edits) }

// PublishesRules reports whether the viewer puts rule sets of a jurisdiction in force: who
// approves there, of all layers, and administrators.
func (v Viewer) PublishesRules(jurisdiction string) bool {
	return v.rulesFor(jurisdiction, func(r Role) bool { return r == Approver || r == Administrator })
}

// KeepsCalendar reports whether the viewer says which days are worked in a jurisdiction: who
// drafts its rules.
func (v Viewer) KeepsCalendar(jurisdiction string) bool { return v.DraftsRules(jurisdiction) }

func (v Viewer) rulesFor(jurisdiction string, may func(Role) bool) bool {
	return slices.ContainsFunc(v.Grants, func(g Grant) bool {
		return may(g.Role) && g.Layers == nil && (g.Territory == "" || g.Territory == jurisdiction)
	})
}
