package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

type calendarCommand struct {
	List   listCalendarCommand   `cmd:"" help:"List the days off and the days worked instead of others, and the years whose list is whole."`
	Import importCalendarCommand `cmd:"" help:"Take a file: CSV with the columns date, working, name_vi, name_en and source is the whole list of its years; JSON is as in the API."`
	Set    setCalendarCommand    `cmd:"" help:"Say of one day that it is off, or that it is worked."`
	Remove removeCalendarCommand `cmd:"" help:"Have days be again as their weekday and every year have them."`
}

// calendarFlags name a calendar.
type calendarFlags struct {
	Jurisdiction string `placeholder:"CODE" help:"Whose calendar; default that of the only plan there is."`
}

type listCalendarCommand struct {
	calendarFlags

	From string `placeholder:"YYYY-MM-DD" help:"First day; default the first of this year."`
	To   string `placeholder:"YYYY-MM-DD" help:"Last day; default the last of the year of --from."`
	JSON bool   `name:"json" help:"Write it as JSON."`
}

// Run lists the days.
func (c *listCalendarCommand) Run(ctx context.Context, g *globals, env *environment) error {
	from, err := dayOf("--from", c.From)
	if err != nil {
		return usageError{err}
	}
	to, err := dayOf("--to", c.To)
	if err != nil {
		return usageError{err}
	}
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		sheet, err := s.Calendar(ctx, c.Jurisdiction, from, to)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(env.stdout, sheet)
		}
		fmt.Fprintf(env.stdout, "%s, %s, today %s\nworked: %s; off in every year: %s\nwhole lists of: %s\n", sheet.Jurisdiction, sheet.TimeZone, sheet.Today,
			strings.Join(sheet.WorkingDays, ", "), strings.Join(sheet.YearlyOff, ", "), numbers(sheet.Years))
		for _, d := range sheet.Days {
			fmt.Fprintf(env.stdout, "%s %-9s %-7s %s (%s)\n", d.Date, d.Date.Time().Weekday(), map[bool]string{true: "worked", false: "off"}[d.Working], d.Name.In(env.language), d.Source)
		}
		if warning := calendarWarning(sheet); warning != "" {
			fmt.Fprintln(env.stdout, "warning:", warning)
		}
		return nil
	})
}

func numbers(list []int) string { return strings.Trim(fmt.Sprint(list), "[]") }

// calendarWarning says that deadlines reach beyond what a calendar knows; "" where they do not.
func calendarWarning(sheet permit.CalendarSheet) string {
	if len(sheet.UnknownYears) == 0 {
		return ""
	}
	return fmt.Sprintf("the calendar of %s has no whole list of %s, into which deadlines reach that are given now: holidays there count as days worked (hatang calendar import FILE)",
		sheet.Jurisdiction, numbers(sheet.UnknownYears))
}

type importCalendarCommand struct {
	calendarFlags

	File   string `arg:"" help:"CSV or JSON, - for standard input."`
	Source string `help:"The notice or decision that says so, of the days that name none."`
}

// Run changes the calendar as the file says, or tells all that is wrong with it.
func (c *importCalendarCommand) Run(ctx context.Context, g *globals, env *environment) error {
	file, err := c.read(env)
	if err != nil {
		return err
	}
	if c.Source != "" {
		file.Source = c.Source
	}
	return c.change(ctx, g, env, file)
}

func (c *importCalendarCommand) read(env *environment) (file permit.CalendarFile, err error) {
	in := env.stdin
	if c.File != "-" {
		opened, err := os.Open(c.File)
		if err != nil {
			return file, err
		}
		defer func() { _ = opened.Close() }() // it was only read
		in = opened
	}
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return file, err
	}
	if len(text) > most {
		return file, fmt.Errorf("the file is larger than %d bytes", most)
	}
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return permit.ReadCalendarTable(text)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return file, decoder.Decode(&file)
}

// change writes a change, and says what it did.
func (f calendarFlags) change(ctx context.Context, g *globals, env *environment, file permit.CalendarFile) error {
	if f.Jurisdiction != "" {
		file.Jurisdiction = f.Jurisdiction
	}
	change, err := file.Change()
	if err != nil {
		return err
	}
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		changed, err := s.ChangeCalendar(ctx, env.viewer(), change)
		if errors.Is(err, layer.ErrNotFound) {
			return fmt.Errorf("there is no plan, or none of that code: %w", err)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "the calendar of %s: %d days set, %d removed; deadlines that were given stay\n", changed.Jurisdiction, changed.Set, changed.Removed)
		return nil
	})
}

type setCalendarCommand struct {
	calendarFlags

	Date   string `arg:"" help:"YYYY-MM-DD."`
	Work   bool   `xor:"kind" required:"" help:"It is worked."`
	Off    bool   `xor:"kind" required:"" help:"It is off."`
	Name   string `required:"" help:"What it is called, in Vietnamese or for both languages."`
	NameEN string `name:"name-en" help:"What it is called in English."`
	Source string `required:"" help:"The notice or decision that says so."`
}

// Run sets the day.
func (c *setCalendarCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return c.change(ctx, g, env, permit.CalendarFile{Days: []permit.GivenDay{{Date: c.Date, Working: &c.Work, Name: geo.Text{VI: c.Name, EN: c.NameEN}, Source: c.Source}}})
}

type removeCalendarCommand struct {
	calendarFlags

	Dates []string `arg:"" help:"YYYY-MM-DD, of each day."`
}

// Run removes the days.
func (c *removeCalendarCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return c.change(ctx, g, env, permit.CalendarFile{Remove: c.Dates})
}
