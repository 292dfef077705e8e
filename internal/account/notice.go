package account

import "time"

// OrganisationItself returns the viewer of what is sent to an organisation itself: it sees what
// is the organisation's, and what it is asked about.
func OrganisationItself(code string) Viewer {
	return Viewer{Name: "organisation:" + code, Organisation: code, Grants: []Grant{{Role: Operator}, {Role: Consulted}}}
}

// Only returns the viewer with his grants of one role alone. He is still who he is, and of his
// organisation.
func (v Viewer) Only(role Role) Viewer {
	var grants []Grant
	for _, g := range v.Grants {
		if g.Role == role {
			grants = append(grants, g)
		}
	}
	v.Grants = grants
	return v
}

// Webhook is where programs of an organisation are told. The secret by which they know that
// it is we is shown when it is made, and never again.
type Webhook struct {
	Organisation string    `json:"organisation"`
	URL          string    `json:"url"`
	SetBy        string    `json:"set_by"`
	SetAt        time.Time `json:"set_at"`
}
