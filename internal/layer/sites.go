package layer

import "github.com/paulmach/orb"

// SiteCounts are how many sites and positions are in force on a day, drafts apart: what is
// known to all. A shared site has two operators or more.
type SiteCounts struct {
	Sites       int64 `json:"sites"`
	Positions   int64 `json:"positions"`
	SharedSites int64 `json:"shared_sites"`
	// SharedSiteRatio is shared sites ÷ sites, from 0 to 1; nil where there are no sites.
	SharedSiteRatio *float64 `json:"shared_site_ratio"`
}

// SitesImported is what an import of sites or positions did to their numbers, or would do.
type SitesImported struct {
	Before SiteCounts `json:"before"`
	After  SiteCounts `json:"after"`
	// Proposals is how many masts several operators list, each on a site of its own, to be
	// looked at; nil where the viewer may not put sites together, and where there are more
	// positions than an import compares.
	Proposals *int `json:"proposals"`
}

// CountsSites reports whether the numbers of sites hang on the layer.
func (l *Layer) CountsSites() bool { return l.Name == "bts_sites" || l.Name == "operator_positions" }

// SitesChanged is what merging or splitting did.
type SitesChanged struct {
	Applied   bool       `json:"applied"`   // false of a dry run
	Site      string     `json:"site"`      // code of the site that the positions are on now
	Positions []string   `json:"positions"` // codes of those that have changed their site
	Before    SiteCounts `json:"before"`
	After     SiteCounts `json:"after"`
}

// SiteSplit takes a position off a shared site, onto one of its own where it lies.
type SiteSplit struct {
	Position string // code
	Site     string // code of the new site; "" for the position's own
}

// MastsApart are two positions that were found to be on two masts, by code in their order,
// and where they lay then.
type MastsApart struct {
	Codes  [2]string
	Places [2]orb.Point
}
