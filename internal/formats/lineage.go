package formats

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/layer"
)

// lineageColumns are the headings of a table of units and their successors, as
// layer.NormaliseName has them: English, the Vietnamese of offices, and of published
// tables.
var lineageColumns = map[string][]string{
	"predecessor_code": {"predecessor_code", "old_code", "ma_cu", "ma_don_vi_cu", "ma_dvhc_cu", "ma_xa_cu"},
	"predecessor_name": {"predecessor_name", "old_name", "ten_cu", "ten_don_vi_cu", "ten_dvhc_cu", "ten_xa_cu", "don_vi_cu"},
	"successor_code":   {"successor_code", "new_code", "ma_moi", "ma_don_vi_moi", "ma_dvhc_moi", "ma_xa_moi"},
	"successor_name":   {"successor_name", "new_name", "ten_moi", "ten_don_vi_moi", "ten_dvhc_moi", "ten_xa_moi", "don_vi_moi"},
	"part":             {"part", "merge_type", "phan", "pham_vi", "hinh_thuc", "muc_do"},
	"level":            {"level", "cap", "cap_don_vi"},
	"changed_on":       {"changed_on", "date", "ngay", "ngay_hieu_luc", "hieu_luc_tu"},
	"act":              {"act", "legal_basis", "can_cu", "can_cu_phap_ly", "van_ban", "nghi_quyet"},
	"note":             {"note", "ghi_chu"},
	"source":           {"source", "nguon"},
	"kind":             {"kind", "type", "loai", "loai_don_vi"},
	"district_code":    {"district_code", "new_district_code", "ma_huyen", "ma_huyen_moi"},
	"illustrative":     {"illustrative", "minh_hoa"},
}

// lineageWords are what stands in cells for a value, as layer.NormaliseName has it.
var lineageWords = map[string]map[string]string{
	"part": {
		"whole": layer.Whole, "full": layer.Whole, "toan_bo": layer.Whole, "nguyen_trang": layer.Whole,
		"part": layer.Part, "partial": layer.Part, "mot_phan": layer.Part,
	},
	"level": {
		"province": "province", "tinh": "province", "cap_tinh": "province", "district": "district", "huyen": "district", "cap_huyen": "district",
		"commune": "commune", "xa": "commune", "cap_xa": "commune",
	},
	"illustrative": {"true": "true", "co": "true", "yes": "true", "false": "", "khong": "", "no": ""},
}

// ErrNoLineage is returned for a file that is no table of units and their successors.
var ErrNoLineage = errors.New("the file is no table of units and their successors")

// maxLineageBytes bounds a table: far more than all units of a country need.
const maxLineageBytes = 16 << 20

// ReadLineage reads a CSV table of units and what they went into: one link a row, UTF-8,
// with or without a byte order mark, cells separated by comma, semicolon or tab. Headings
// are English or Vietnamese, in any case, with or without marks; the codes of both units
// are needed, other columns are left aside and their headings returned. What a row does
// not say of level, day, act and source it takes from defaults; how much of the unit went
// over must be said. What is wrong with a row stands with it. ErrNoLineage, with the reason,
// for a file without these headings, without rows, longer than 16 MiB or not UTF-8.
func ReadLineage(in io.Reader, defaults layer.Lineage) (changes []layer.UnitChange, notTaken []string, err error) {
	text, err := io.ReadAll(io.LimitReader(in, maxLineageBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the table: %w", err)
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	if len(text) > maxLineageBytes || !layer.PlainText(string(text)) {
		return nil, nil, fmt.Errorf("%w: it is longer than 16 MiB, or not UTF-8", ErrNoLineage)
	}
	table := csv.NewReader(bufio.NewReader(bytes.NewReader(text)))
	table.Comma, table.FieldsPerRecord, table.TrimLeadingSpace = lineageSeparator(text), -1, true
	headings, err := table.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: it has no headings: %w", ErrNoLineage, err)
	}
	columns, notTaken := lineageHeadings(headings)
	for _, needed := range []string{"predecessor_code", "successor_code"} {
		if _, ok := columns[needed]; !ok {
			return nil, nil, fmt.Errorf("%w: it has no column %s (or %s)", ErrNoLineage, needed, strings.Join(lineageColumns[needed][1:], ", "))
		}
	}
	for row := 1; ; row++ {
		cells, err := table.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrNoLineage, err)
		}
		changes = append(changes, lineageRow(row, cells, columns, defaults))
	}
	if len(changes) == 0 {
		return nil, nil, fmt.Errorf("%w: it has no rows", ErrNoLineage)
	}
	return changes, notTaken, nil
}

// lineageSeparator is what the first line has most of.
func lineageSeparator(text []byte) rune {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	best := ','
	for _, r := range ";\t" {
		if bytes.Count(first, []byte(string(r))) > bytes.Count(first, []byte(string(best))) {
			best = r
		}
	}
	return best
}

// lineageHeadings finds the columns that are known; of two for the same the first counts.
func lineageHeadings(headings []string) (columns map[string]int, notTaken []string) {
	meaning := map[string]string{}
	for column, names := range lineageColumns {
		for _, name := range names {
			meaning[name] = column
		}
	}
	columns = map[string]int{}
	for i, heading := range headings {
		column, known := meaning[layer.NormaliseName(heading)]
		if _, twice := columns[column]; !known || twice {
			notTaken = append(notTaken, strings.TrimSpace(heading))
			continue
		}
		columns[column] = i
	}
	return columns, notTaken
}

// lineageRow reads one row, faults and all.
func lineageRow(row int, cells []string, columns map[string]int, defaults layer.Lineage) layer.UnitChange {
	c := layer.UnitChange{Lineage: defaults, Row: row}
	cell := func(column string) string {
		i, ok := columns[column]
		if !ok || i >= len(cells) {
			return ""
		}
		return norm.NFC.String(strings.TrimSpace(cells[i]))
	}
	word := func(column, otherwise string) string {
		said := cell(column)
		if said == "" {
			return otherwise
		}
		meant, ok := lineageWords[column][layer.NormaliseName(said)]
		if !ok {
			c.Faults.Add(column, "không hiểu %q", "%q is not understood", said)
		}
		return meant
	}
	for column, to := range map[string]*string{"act": &c.Act, "note": &c.Note, "source": &c.Source, "predecessor_code": &c.Predecessor,
		"successor_code": &c.Successor, "predecessor_name": &c.PredecessorName, "successor_name": &c.Name, "kind": &c.Kind, "district_code": &c.District} {
		if said := cell(column); said != "" {
			*to = said
		}
	}
	c.Level, c.Part = word("level", c.Level), word("part", c.Part)
	c.Illustrative = word("illustrative", "") == "true"
	if said := cell("changed_on"); said != "" {
		var err error
		if c.On, err = lineageDay(said); err != nil {
			c.Faults.Add("changed_on", "%q không phải ngày dạng YYYY-MM-DD hoặc ngày/tháng/năm", "%q is not a date of the form YYYY-MM-DD or day/month/year", said)
		}
	}
	c.Faults = append(c.Faults, lacking(c)...)
	return c
}

// lineageDay reads a day as machines write it, or as Vietnamese instruments do.
func lineageDay(said string) (geo.Date, error) {
	if t, err := time.Parse("2/1/2006", said); err == nil {
		return geo.DateOf(t), nil
	}
	return geo.ParseDate(said)
}

// lacking lists what a link must have and this one has not.
func lacking(c layer.UnitChange) (faults layer.Faults) {
	found := func(at string) bool {
		for _, f := range c.Faults {
			if f.At == at {
				return true
			}
		}
		return false
	}
	for _, needed := range []struct {
		at      string
		missing bool
	}{{"predecessor_code", c.Predecessor == ""}, {"successor_code", c.Successor == ""}, {"part", c.Part == ""}, {"level", c.Level == ""}, {"changed_on", c.On.IsZero()}} {
		if needed.missing && !found(needed.at) {
			faults.Add(needed.at, "bắt buộc phải có", "is required")
		}
	}
	return faults
}
