// Command bench runs the benchmarks, prints the median of each and, for benchmarks
// in pairs named NAME/ours and NAME/peer, the ratio peer ÷ ours of every round, and
// writes both to build/bench.json. Ratios hold on a noisy machine; times do not.
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
// median of the rounds' ratios peer ÷ ours.
type result struct {
	Name  string   `json:"name"`
	Ours  float64  `json:"ours"`
	Peer  *float64 `json:"peer"`
	Ratio *float64 `json:"ratio"`
	Unit  string   `json:"unit"`

	min, max float64 // of the ratios
}

var line = regexp.MustCompile(`^(Benchmark\S+?)(?:-\d+)?\s+\d+\s+([0-9.]+) ns/op`)

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
	results, pairs := summarise(rounds)
	for _, r := range results {
		if r.Peer == nil {
			fmt.Printf("%-78s %14.0f ns\n", r.Name, r.Ours)
		}
	}
	fmt.Printf("\n%-78s %14s %14s  peer ÷ ours\n", "", "ours, ns", "peer, ns")
	for _, r := range results {
		if r.Peer != nil {
			fmt.Printf("%-78s %14.0f %14.0f  %.2f (%.2f to %.2f)\n", r.Name, r.Ours, *r.Peer, *r.Ratio, r.min, r.max)
		}
	}
	if pairs == 0 {
		return errors.New("no pair of benchmarks was measured")
	}
	raw, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll("build", 0o755); err != nil {
		return err
	}
	return os.WriteFile("build/bench.json", append(raw, '\n'), 0o644)
}

// roundCount is how often everything is measured: the whole in turn, so that the
// two of a pair meet the same moments of the machine.
const roundCount = 5

func measure() (map[string][]float64, error) {
	rounds := map[string][]float64{}
	for i := range roundCount {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", i+1, roundCount)
		if err := round(rounds); err != nil {
			return nil, err
		}
	}
	return rounds, nil
}

// round runs every benchmark once, one package after the other.
func round(rounds map[string][]float64) error {
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", ".", "-benchtime", "300ms", "-p", "1", "./...")
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
		if m := line.FindStringSubmatch(lines.Text()); m != nil {
			ns, err := strconv.ParseFloat(m[2], 64)
			if err != nil {
				return err
			}
			rounds[pkg+"."+m[1]] = append(rounds[pkg+"."+m[1]], ns)
		}
	}
	return errors.Join(lines.Err(), cmd.Wait())
}

// summarise makes one result of each benchmark, and of each pair.
func summarise(rounds map[string][]float64) (results []result, pairs int) {
	for name, ns := range rounds {
		pair, ours := strings.CutSuffix(name, "/ours")
		peer := rounds[pair+"/peer"]
		switch {
		case strings.HasSuffix(name, "/peer"):
		case ours && len(peer) == len(ns):
			results = append(results, compare(pair, ns, peer))
			pairs++
		default:
			results = append(results, result{Name: name, Ours: median(ns), Unit: "ns"})
		}
	}
	sort.Slice(results, func(i, j int) bool { return results[i].Name < results[j].Name })
	return results, pairs
}

// compare divides round by round, so that a slow moment counts for both.
func compare(name string, ours, peer []float64) result {
	quotients := make([]float64, len(ours))
	for i := range ours {
		quotients[i] = peer[i] / ours[i]
	}
	theirs, ratio := median(peer), median(quotients)
	return result{Name: name, Ours: median(ours), Peer: &theirs, Ratio: &ratio, Unit: "ns", min: slices.Min(quotients), max: slices.Max(quotients)}
}

func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	return sorted[len(sorted)/2]
}
