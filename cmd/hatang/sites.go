package main

import (
	"context"
	"fmt"
	"strings"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/intake"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// siteDesk is where officers find which sites are one mast. It implements httpapi.Sites.
type siteDesk struct {
	*postgis.Store
	date func() geo.Date
}

// ProposeSites returns which of the sites in force are likely one mast.
func (d siteDesk) ProposeSites(ctx context.Context, v account.Viewer, distanceM float64) (intake.ProposedSites, layer.SiteCounts, error) {
	return d.Store.ProposeSites(ctx, v, d.date(), distanceM)
}

// codesOf are the sites of a proposal, the one with most operators first.
func codesOf(p intake.ProposedSite) (codes []string) {
	on := map[string]int{}
	for _, position := range p.Positions {
		if on[position.Site]++; on[position.Site] == 1 {
			codes = append(codes, position.Site)
		}
	}
	for i, code := range codes {
		if on[code] > on[codes[0]] {
			codes[0], codes[i] = code, codes[0]
		}
	}
	return codes
}

type sitesCommand struct {
	Proposals proposalsCommand `cmd:"" help:"Sites of different operators that are likely one mast, and what speaks for it."`
	Merge     mergeCommand     `cmd:"" help:"Make one site of several: all positions go to the first, the others are removed."`
	Accept    acceptCommand    `cmd:"" help:"Merge what is proposed: all of it, or the proposals that a site is in."`
	Split     splitCommand     `cmd:"" help:"Take a position off a shared site, onto one of its own."`
	Apart     apartCommand     `cmd:"" help:"Say that each of the sites is a mast of its own: they are not proposed any more while they stay where they are."`
}

// nearness is how near positions are taken for one mast.
type nearness struct {
	Distance float64 `default:"50" placeholder:"METRES" help:"How near positions are taken for one mast; default ${default} m."`
}

type proposalsCommand struct {
	nearness
	JSON bool `name:"json" help:"Write them as JSON."`
}

// desk runs work on the register of the globals.
func (g *globals) desk(ctx context.Context, env *environment, work func(siteDesk) error) error {
	return g.withStore(ctx, env, func(_ *database, store *postgis.Store) error {
		date, err := g.referenceDate(ctx, store)
		if err != nil {
			return err
		}
		return work(siteDesk{store, date})
	})
}

// Run lists the proposals.
func (c *proposalsCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.desk(ctx, env, func(d siteDesk) error {
		found, counts, err := d.ProposeSites(ctx, env.viewer(), c.Distance)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(env.stdout, map[string]any{"counts": counts, "proposals": found.Sites, "apart": found.Apart, "crowded": found.Crowded})
		}
		for _, p := range found.Sites {
			fmt.Fprintf(env.stdout, "one mast? %s: %.1f m apart at most, at %.6f %.6f\n", strings.Join(codesOf(p), " "), p.SpreadM, p.At[0], p.At[1])
			for _, l := range p.Links {
				fmt.Fprintf(env.stdout, "  %s %s and %s %s: %.1f m%s\n", l.A.Operator, l.A.Code, l.B.Operator, l.B.Code, l.DistanceM, sameness(l))
			}
		}
		for _, l := range found.Apart {
			fmt.Fprintf(env.stdout, "not proposed: %s and %s, %.1f m: %s\n", l.A.Code, l.B.Code, l.DistanceM, l.Why.In(env.language))
		}
		if len(found.Crowded) > 0 {
			fmt.Fprintf(env.stdout, "%d positions stand where too many others do to tell masts\n", len(found.Crowded))
		}
		printCounts(env, "now", counts)
		fmt.Fprintf(env.stdout, "%d proposals; hatang sites accept takes them\n", len(found.Sites))
		return nil
	})
}

// sameness says what two positions have in common beside their place.
func sameness(l intake.Link) string {
	switch {
	case l.SameCode && l.SameName:
		return ", same code and name"
	case l.SameCode:
		return ", same code"
	case l.SameName:
		return ", same name"
	}
	return ""
}

func printCounts(env *environment, when string, n layer.SiteCounts) {
	ratio := "–"
	if n.SharedSiteRatio != nil {
		ratio = fmt.Sprintf("%.4f", *n.SharedSiteRatio)
	}
	fmt.Fprintf(env.stdout, "%s: %d sites, %d positions, %d shared sites, ratio %s\n", when, n.Sites, n.Positions, n.SharedSites, ratio)
}

// tellSites says what was done to sites.
func tellSites(env *environment, asJSON bool, done layer.SitesChanged) error {
	if asJSON {
		return writeJSON(env.stdout, struct {
			layer.SitesChanged
			Request string `json:"request"`
		}{done, env.request})
	}
	fmt.Fprintf(env.stdout, "on %s now: %s\n", done.Site, strings.Join(done.Positions, ", "))
	printCounts(env, "before", done.Before)
	printCounts(env, "after", done.After)
	if !done.Applied {
		fmt.Fprintln(env.stdout, "Dry run: nothing was changed.")
		return nil
	}
	fmt.Fprintf(env.stdout, "To take it back: hatang revert --request %s\n", env.request)
	return nil
}

// siteFlags are those of every change of sites.
type siteFlags struct {
	DryRun bool `name:"dry-run" help:"Say what would be done and change nothing."`
	JSON   bool `name:"json" help:"Write what was done as JSON."`
}

type mergeCommand struct {
	Sites []string `arg:"" help:"Codes of the sites; the first stays."`
	siteFlags
}

// Run merges the sites.
func (c *mergeCommand) Run(ctx context.Context, g *globals, env *environment) error {
	if len(c.Sites) < 2 {
		return usageError{fmt.Errorf("two sites or more are needed")}
	}
	return g.desk(ctx, env, func(d siteDesk) error {
		done, err := d.MergeSites(ctx, env.viewer(), c.Sites, d.date(), c.DryRun)
		if err != nil {
			return err
		}
		return tellSites(env, c.JSON, done)
	})
}

type acceptCommand struct {
	Sites []string `arg:"" optional:"" help:"Codes of sites: the proposals that they are in; default all."`
	nearness
}

// Run merges what is proposed, each proposal by itself; all have the command's request, by
// which all are taken back.
func (c *acceptCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.desk(ctx, env, func(d siteDesk) error {
		found, before, err := d.ProposeSites(ctx, env.viewer(), c.Distance)
		if err != nil {
			return err
		}
		wanted, merged := map[string]bool{}, 0
		for _, code := range c.Sites {
			wanted[code] = true
		}
		if err := c.proposed(found.Sites); err != nil {
			return err
		}
		for _, p := range found.Sites {
			codes, asked := codesOf(p), len(wanted) == 0
			for _, code := range codes {
				asked = asked || wanted[code]
			}
			if !asked {
				continue
			}
			if _, err := d.MergeSites(ctx, env.viewer(), codes, d.date(), false); err != nil {
				return fmt.Errorf("%s (%d merged before; hatang revert --request %s takes these back): %w", strings.Join(codes, " "), merged, env.request, err)
			}
			merged++
		}
		after, err := d.SiteCounts(ctx, d.date())
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "%d of %d proposals merged\n", merged, len(found.Sites))
		printCounts(env, "before", before)
		printCounts(env, "after", after)
		if merged > 0 {
			fmt.Fprintf(env.stdout, "To take them back: hatang revert --request %s\n", env.request)
		}
		return nil
	})
}

// proposed refuses codes that are in no proposal.
func (c *acceptCommand) proposed(sites []intake.ProposedSite) error {
	known := map[string]bool{}
	for _, p := range sites {
		for _, code := range codesOf(p) {
			known[code] = true
		}
	}
	for _, code := range c.Sites {
		if !known[code] {
			return fmt.Errorf("%s is in no proposal; nothing was merged", code)
		}
	}
	return nil
}

type splitCommand struct {
	Position string `arg:"" help:"Code of the position."`
	Site     string `placeholder:"CODE" help:"Code of the new site; default the position's own."`
	siteFlags
}

// Run splits the site.
func (c *splitCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.desk(ctx, env, func(d siteDesk) error {
		done, err := d.SplitSite(ctx, env.viewer(), layer.SiteSplit{Position: c.Position, Site: c.Site}, d.date(), c.DryRun)
		if err != nil {
			return err
		}
		return tellSites(env, c.JSON, done)
	})
}

type apartCommand struct {
	Sites  []string `arg:"" help:"Codes of the sites."`
	Reason string   `help:"Why, for those who come after."`
}

// Run remembers that the sites are apart.
func (c *apartCommand) Run(ctx context.Context, g *globals, env *environment) error {
	if len(c.Sites) < 2 {
		return usageError{fmt.Errorf("two sites or more are needed")}
	}
	return g.desk(ctx, env, func(d siteDesk) error {
		return d.KeepApart(ctx, env.viewer(), c.Sites, c.Reason, d.date())
	})
}

func printSites(env *environment, r *layer.SitesImported) {
	if r == nil {
		return
	}
	printCounts(env, "before", r.Before)
	printCounts(env, "after", r.After)
	switch {
	case r.Proposals == nil:
		fmt.Fprintln(env.stdout, "there are more positions than an import compares: hatang sites proposals looks for masts that several operators list")
	case *r.Proposals > 0:
		fmt.Fprintf(env.stdout, "%d masts that several operators list are proposed as one site each: hatang sites proposals\n", *r.Proposals)
	}
}
