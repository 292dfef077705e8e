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

// result is what one benchmark gave, in nanoseconds an operation.
type result struct {
	Name     string    `json:"name"`
	MedianNs float64   `json:"median_ns"`
	RoundsNs []float64 `json:"rounds_ns"`
}

// ratio is how many times the peer's time a pair's own time goes into.
type ratio struct {
	Name   string  `json:"name"`
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
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
	var results []result
	for name, ns := range rounds {
		results = append(results, result{name, median(ns), ns})
	}
	sort.Slice(results, func(i, j int) bool { return results[i].Name < results[j].Name })
	ratios := compare(rounds)
	for _, r := range results {
		fmt.Printf("%-70s %14.0f ns\n", r.Name, r.MedianNs)
	}
	fmt.Println("\npeer ÷ ours (over 1: ours is faster)")
	for _, r := range ratios {
		fmt.Printf("%-70s %6.2f  (%.2f to %.2f)\n", r.Name, r.Median, r.Min, r.Max)
	}
	if len(ratios) == 0 {
		return errors.New("no pair of benchmarks was measured")
	}
	raw, err := json.MarshalIndent(map[string]any{"benchmarks": results, "ratios": ratios}, "", " ")
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

// compare divides round by round, so that a slow moment counts for both.
func compare(rounds map[string][]float64) []ratio {
	var ratios []ratio
	for name, ours := range rounds {
		pair, ok := strings.CutSuffix(name, "/ours")
		peer := rounds[pair+"/peer"]
		if !ok || len(peer) != len(ours) {
			continue
		}
		quotients := make([]float64, len(ours))
		for i := range ours {
			quotients[i] = peer[i] / ours[i]
		}
		ratios = append(ratios, ratio{pair, median(quotients), slices.Min(quotients), slices.Max(quotients)})
	}
	sort.Slice(ratios, func(i, j int) bool { return ratios[i].Name < ratios[j].Name })
	return ratios
}

func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	return sorted[len(sorted)/2]
}
