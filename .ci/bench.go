// Command bench runs the benchmarks, prints the median of each and, for benchmarks
// in pairs named NAME/ours and NAME/peer, how many times better ours is, and writes
// both to build/bench.json. At the end stand the questions whose speed is promised,
// with what is promised. Ratios hold on a noisy machine; times do not.
//
// A benchmark that reports a rate (checks/s) or a time for each thing (ns/point) is
// measured in it, all others in nanoseconds; MiB is a result of its own.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// result is one benchmark or, where Peer is set, a pair of them: medians, and the
// median of the rounds' ratios. Ratio is how many times as fast as the peer's way ours is.
type result struct {
	Name  string   `json:"name"`
	Ours  float64  `json:"ours"`
	Peer  *float64 `json:"peer"`
	Ratio *float64 `json:"ratio"`
	Unit  string   `json:"unit"`

	min, max float64 // of the ratios
}

// promise is a question of which it is said how fast it is answered: so much of the
// unit at least (a rate) or at most, and so many times as fast as the peer's way was
// when the promise was made (0: nothing to compare with).
type promise struct {
	question, name string
	reach          float64
	unit           string
	ratio          float64
}

const (
	second = 1e9 // in the unit ns
	milli  = 1e6
)

func promises() []promise {
	const postgis, cmd = "hatang/internal/postgis.BenchmarkNational", "hatang/cmd/hatang.BenchmarkNational"
	return []promise{
		{"placement check, one core: verdict and findings", postgis + "Placement/findings", 200e3, "checks/s", 200e3 * 0.16e-3},
		{"placement check, one core: verdict alone", postgis + "Placement/verdict", 700e3, "checks/s", 700e3 * 0.16e-3},
		{"one at a time over HTTP: verdict", cmd + "HTTP/verdict", 25e3, "checks/s", 25e3 / 10.3e3},
		{"one at a time over HTTP: findings", cmd + "HTTP/findings", 25e3, "checks/s", 25e3 / 10.3e3},
		{"one at a time over HTTP: with all sentences", cmd + "HTTP/full", 25e3, "checks/s", 25e3 / 10.3e3},
		{"check --file, both cores: verdicts", cmd + "File/verdict", 500e3, "checks/s", 500e3 / 10.3e3},
		{"check --file, both cores: findings", cmd + "File/findings", 100e3, "checks/s", 100e3 / 10.3e3},
		{"page 10 000 of a walk by id, against page 1", "hatang/internal/postgis.BenchmarkKeysetWalk/id", 0.5 * milli, "ns", 1 / 1.1},
		{"indicators of 700 districts", postgis + "Indicators", second, "ns", 19.6},
		{"200 000 points to 10 000 communes", postgis + "Assign", 0.1 * second, "ns", 6.3},
		{"snapshot of the nation", postgis + "Snapshot/nation", 3 * second, "ns", 0},
		{"snapshot of the nation, memory", postgis + "Snapshot/nation", 1024, "MiB", 0},
		{"snapshot of a province, real boundaries", "hatang/internal/permit.BenchmarkSnapshot", 50 * milli, "ns", 0},
		{"200 000 sites as GeoJSON, whole layer", cmd + "Download/geojson_against_copy", 0.35 * second, "ns", 0.45 / 0.35},
		{"200 000 sites as GeoJSON, memory above idle", cmd + "Download/geojson_against_copy", 64, "MiB", 0},
		{"200 000 sites as GeoJSON, first byte", cmd + "Download/geojson_first_byte", 10 * milli, "ns", 0},
		{"a site by id, 16 connections", cmd + "Reads/site", 22e3, "answers/s", 22. / 25},
		{"the same, as an officer", cmd + "Reads/officer_site", 22e3, "answers/s", 22. / 25},
		{"page of 1 000 in a box, one after another", cmd + "Reads/page", 1000 / 2.7, "answers/s", 3.4 / 2.7},
		{"the same, as an officer", cmd + "Reads/officer_page", 1000 / 2.7, "answers/s", 3.4 / 2.7},
		{"page of 1 000 in a box, 16 connections", cmd + "Reads/pages", 600, "answers/s", 600. / 420},
		{"the same, as an officer", cmd + "Reads/officer_pages", 600, "answers/s", 600. / 420},
		{"unchanged (If-None-Match), 16 connections", cmd + "Reads/known", 50e3, "answers/s", 50. / 70},
		{"the same, as an officer", cmd + "Reads/officer_known", 50e3, "answers/s", 50. / 70},
		{"sites tile z6, cold", cmd + "TileHTTP/sites/z6_cold", 20 * milli, "ns", 130. / 20},
		{"sites tile z9, cold", cmd + "TileHTTP/sites/z9_cold", 0.7 * milli, "ns", 3.3 / 0.7},
		{"sites tile z12, cold", cmd + "TileHTTP/sites/z12_cold", 0.2 * milli, "ns", 0.25 / 0.2},
		{"sites tile z6, cold, as an officer", cmd + "TileHTTP/officer/z6_cold", 20 * milli, "ns", 130. / 20},
		{"sites tile z9, cold, as an officer", cmd + "TileHTTP/officer/z9_cold", 0.7 * milli, "ns", 3.3 / 0.7},
		{"sites tile z12, cold, as an officer", cmd + "TileHTTP/officer/z12_cold", 0.2 * milli, "ns", 0.25 / 0.2},
		{"communes tile z6, cold", cmd + "TileHTTP/communes/z6_cold", 25 * milli, "ns", 130. / 25},
		{"communes tile z9, cold", cmd + "TileHTTP/communes/z9_cold", 3 * milli, "ns", 7.2 / 3},
		{"sites tile z12, warm", cmd + "TileHTTP/sites/z12_warm", 0.12 * milli, "ns", 0.25 / 0.12},
		{"sites tile z12, warm, 64 connections", cmd + "TileLoad", 45e3, "tiles/s", 45. / 6},
		{"an edit of a mast", postgis + "Edit/mast", 5 * milli, "ns", 0},
		{"an edit of a zone", postgis + "Edit/zone", 5 * milli, "ns", 0},
		{"an edit of a commune", postgis + "Edit/commune", 5 * milli, "ns", 0},
	}
}

var line = regexp.MustCompile(`^(Benchmark\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	rounds, err := measure()
	if err != nil {
		return err
	}
	results := summarise(rounds)
	report(results)
	raw, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll("build", 0o755); err != nil {
		return err
	}
	return os.WriteFile("build/bench.json", append(raw, '\n'), 0o644)
}

// roundCount is how often the pairs are measured, all in turn, so that the two of a
// pair meet the same moments of the machine. All else is measured once.
const roundCount = 3

// key names what was measured in which unit.
type key struct{ name, unit string }

func measure() (map[key][]float64, error) {
	rounds := map[key][]float64{}
	pattern, packages := ".", []string{"./..."}
	for i := range roundCount {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", i+1, roundCount)
		if err := round(rounds, pattern, packages); err != nil {
			return nil, err
		}
		if i > 0 {
			continue
		}
		if pattern, packages = pairsOf(rounds); len(packages) == 0 {
			return nil, errors.New("no pair of benchmarks was measured")
		}
	}
	return rounds, nil
}

// pairsOf returns a pattern of the benchmarks that have pairs, and their packages.
func pairsOf(rounds map[key][]float64) (pattern string, packages []string) {
	var names []string
	for k := range rounds {
		if strings.HasSuffix(k.name, "/peer") {
			at := strings.LastIndex(k.name, ".Benchmark")
			name, _, _ := strings.Cut(k.name[at+1:], "/")
			names, packages = append(names, name), append(packages, k.name[:at])
		}
	}
	slices.Sort(names)
	slices.Sort(packages)
	return "^(" + strings.Join(slices.Compact(names), "|") + ")$", slices.Compact(packages)
}

// round runs the benchmarks once, one package after the other.
func round(rounds map[key][]float64, pattern string, packages []string) error {
	args := []string{"test", "-run", "^$", "-bench", pattern, "-benchtime", "300ms", "-p", "1", "-timeout", "30m"}
	cmd := exec.Command("go", append(args, packages...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	pkg := ""
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "pkg: "); ok {
			pkg = name
			fmt.Fprintln(os.Stderr, " ", pkg)
		}
		m := line.FindStringSubmatch(lines.Text())
		if m == nil {
			if strings.Contains(lines.Text(), "FAIL") || strings.HasPrefix(lines.Text(), "    ") {
				fmt.Fprintln(os.Stderr, lines.Text())
			}
			continue
		}
		for unit, value := range metrics(m[2]) {
			k := key{pkg + "." + m[1], unit}
			rounds[k] = append(rounds[k], value)
		}
	}
	return errors.Join(lines.Err(), cmd.Wait())
}

// metrics picks from a benchmark's figures the one it is measured in, and MiB.
func metrics(text string) map[string]float64 {
	all := map[string]float64{}
	fields := strings.Fields(text)
	for i := 0; i+1 < len(fields); i += 2 {
		if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
			all[fields[i+1]] = value
		}
	}
	picked := map[string]float64{}
	for unit, value := range all {
		if isRate(unit) && unit != "MB/s" || strings.HasPrefix(unit, "ns/") && unit != "ns/op" {
			picked[unit] = value
		}
	}
	if ns, ok := all["ns/op"]; ok && len(picked) == 0 {
		picked["ns"] = ns
	}
	if mib, ok := all["MiB"]; ok {
		picked["MiB"] = mib
	}
	return picked
}

// isRate reports whether more is better.
func isRate(unit string) bool { return strings.HasSuffix(unit, "/s") }

// summarise makes one result of each benchmark, and of each pair.
func summarise(rounds map[key][]float64) (results []result) {
	for k, values := range rounds {
		pair, ours := strings.CutSuffix(k.name, "/ours")
		peer := rounds[key{pair + "/peer", k.unit}]
		switch {
		case strings.HasSuffix(k.name, "/peer"):
		case ours && len(peer) == len(values):
			results = append(results, compare(key{pair, k.unit}, values, peer))
		default:
			results = append(results, result{Name: strings.TrimSuffix(k.name, "/ours"), Ours: median(values), Unit: k.unit})
		}
	}
	sort.Slice(results, func(i, j int) bool {
		if results[i].Name != results[j].Name {
			return results[i].Name < results[j].Name
		}
		return results[i].Unit < results[j].Unit
	})
	return results
}

// compare divides round by round, so that a slow moment counts for both.
func compare(k key, ours, peer []float64) result {
	quotients := make([]float64, len(ours))
	for i := range ours {
		quotients[i] = peer[i] / ours[i]
		if isRate(k.unit) {
			quotients[i] = ours[i] / peer[i]
		}
	}
	theirs, ratio := median(peer), median(quotients)
	return result{Name: k.name, Ours: median(ours), Peer: &theirs, Ratio: &ratio, Unit: k.unit, min: slices.Min(quotients), max: slices.Max(quotients)}
}

func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	return sorted[len(sorted)/2]
}

// report prints the benchmarks alone, the pairs, and the promises.
func report(results []result) {
	for _, r := range results {
		if r.Peer == nil {
			fmt.Printf("%-86s %16s\n", r.Name, amount(r.Ours, r.Unit))
		}
	}
	fmt.Printf("\n%-86s %16s %16s  times as fast\n", "", "ours", "peer")
	for _, r := range results {
		if r.Peer != nil {
			fmt.Printf("%-86s %16s %16s  %.2f (%.2f to %.2f)\n", r.Name, amount(r.Ours, r.Unit), amount(*r.Peer, r.Unit), *r.Ratio, r.min, r.max)
		}
	}
	fmt.Printf("\n%-48s %16s %16s %16s  %-24s %s\n", "", "ours", "promised", "peer", "times as fast", "promised")
	for _, p := range promises() {
		fmt.Println(p.line(results))
	}
}

// line tells how a promise is kept: by the figure itself, or, where the machine is
// slower than the one the promise was made on, by the ratio to the peer.
func (p promise) line(results []result) string {
	at := slices.IndexFunc(results, func(r result) bool { return r.Name == p.name && r.Unit == p.unit })
	if at < 0 {
		return fmt.Sprintf("%-48s not measured", p.question)
	}
	r := results[at]
	kept := r.Ours <= p.reach
	if isRate(p.unit) {
		kept = r.Ours >= p.reach
	}
	peer, times, promised, judgement := "", "", "", "SHORT"
	if r.Ratio != nil {
		peer, times = amount(*r.Peer, p.unit), fmt.Sprintf("%.1f (%.1f to %.1f)", *r.Ratio, r.min, r.max)
		promised = fmt.Sprintf("%.1f", p.ratio)
		if *r.Ratio >= p.ratio {
			judgement = "as a ratio"
		}
	}
	if kept {
		judgement = "reached"
	}
	return fmt.Sprintf("%-48s %16s %16s %16s  %-24s %-8s  %s", p.question, amount(r.Ours, p.unit), amount(p.reach, p.unit), peer, times, promised, judgement)
}

// amount writes a figure with its unit, times in the unit that suits them.
func amount(x float64, unit string) string {
	switch {
	case unit != "ns" && x >= 100:
		return fmt.Sprintf("%.0f %s", x, unit)
	case unit != "ns":
		return fmt.Sprintf("%.1f %s", x, unit)
	case x >= second:
		return fmt.Sprintf("%.2f s", x/second)
	case x >= milli:
		return fmt.Sprintf("%.2f ms", x/milli)
	case x >= 1e3:
		return fmt.Sprintf("%.2f µs", x/1e3)
	}
	return fmt.Sprintf("%.0f ns", x)
}
