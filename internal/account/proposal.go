package account

// Files returns of which drafts of a layer the viewer may make proposals: those of his
// organisation that he writes as an operator.
func (v Viewer) Files(layer string) Pen {
	var p Pen
	for _, g := range v.Grants {
		switch {
		case g.Role != Operator || v.Organisation == "" || !g.covers(layer):
		case g.Territory == "":
			p.Drafts = true
		default:
			p.DraftsWithin = append(p.DraftsWithin, g.Territory)
		}
	}
	return p
}

// Decides returns of which rows of a layer the viewer approves or refuses proposals.
func (v Viewer) Decides(layer string) Pen {
	var p Pen
	for _, g := range v.Grants {
		switch {
		case g.Role != Approver || !g.covers(layer):
		case g.Territory == "":
			return Pen{All: true}
		default:
			p.Territories = append(p.Territories, g.Territory)
		}
	}
	return p
}

// FilesAnything reports whether there is a layer of which the viewer may make proposals.
func (v Viewer) FilesAnything() bool { return v.Has(Operator) && v.Organisation != "" }
