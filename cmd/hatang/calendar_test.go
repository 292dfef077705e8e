package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// TestCalendarAtWork: a year's holidays come as a file, a Saturday is worked instead, at the
// terminal and over HTTP, and the doctor says of which years the list is missing.
func TestCalendarAtWork(t *testing.T) {
	t.Parallel()
	s := demo(t)
	s.command(t, "calendar", "list", "--from", "2027-01-01").wants(t, exitDone, "2027-02-08 Monday    off     Lunar New Year holiday")
	file := filepath.Join(t.TempDir(), "2028.csv")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("date;working;name_vi;name_en\n26/1/2028;false;Tết Nguyên đán;Lunar New Year\n2028-02-30;false;;\n")
	s.command(t, "calendar", "import", file).wants(t, exitFindings, "hatang: /rows/3/date: must be a date")
	s.command(t, "calendar", "import", file).wants(t, exitFindings, "hatang: /rows/2/source: is required")
	write("date;working;name_vi;name_en\n26/1/2028;false;Tết Nguyên đán;Lunar New Year\n27/1/2028;false;Tết Nguyên đán;Lunar New Year\n")
	s.command(t, "calendar", "import", file, "--source", "TB 15/2027").wants(t, exitDone, "the calendar of 11: 2 days set, 0 removed")
	s.command(t, "calendar", "set", "2028-02-12", "--work", "--name", "Làm bù", "--source", "TB 15/2027").wants(t, exitDone, "1 days set")
	s.command(t, "calendar", "set", "2028-02-12", "--name", "x", "--source", "x").wants(t, exitUsage, "--off")
	s.command(t, "calendar", "list", "--from", "2028-01-01").wants(t, exitDone, "2028-02-12 Saturday  worked  Làm bù (TB 15/2027)")
	s.command(t, "calendar", "list", "--from", "2028-01-01").wants(t, exitDone, "2027 2028\n")
	var sheet struct {
		Days []struct {
			Date    string
			Working bool
		}
		Years []int
	}
	s.get(t, "/api/v1/calendar?from=2028-01-01", &sheet)
	if len(sheet.Days) != 3 || !sheet.Days[2].Working || sheet.Days[2].Date != "2028-02-12" {
		t.Errorf("%+v", sheet)
	}
	s.call(t, http.MethodPost, "/api/v1/calendar", `{"remove":["2028-02-12"]}`, "Content-Type", "application/json").wants(t, http.StatusUnauthorized)
	s.command(t, "calendar", "remove", "2028-02-12").wants(t, exitDone, "0 days set, 1 removed")
	s.command(t, "calendar", "import", file, "--source", "TB", "--jurisdiction", "12").wants(t, exitFindings, "no plan")
	s.command(t, "audit").wants(t, exitDone, "calendar.removed")
	s.sql(t, "WITH gone AS (DELETE FROM calendar_years RETURNING 1) SELECT count(*)::text FROM gone")
	s.command(t, "doctor").wants(t, exitDone, "warning: the calendar of 11 has no whole list of 20")
}
