// Command testsum reads the output of one or more `go test -json` runs on its standard
// input and prints what a person wants to see: a line for each package, the output of what
// failed, and a last line with the counts. Tests and subtests are counted alike.
//
// Exit status 1 if anything failed, if nothing ran, or if a test was skipped and CI is "true".
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"
)

// event is one line of `go test -json` (see `go doc test2json`, and build events in `go help buildjson`).
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

type summary struct {
	passed, failed, skipped int
	badPackages             int
	output                  map[string][]string // by package and test, until it is known to be good
	running                 map[string]bool     // packages
}

func main() {
	s := summary{output: map[string][]string{}, running: map[string]bool{}}
	lines := make(chan string)
	go func() {
		in := bufio.NewScanner(os.Stdin)
		in.Buffer(nil, 16<<20)
		for in.Scan() {
			lines <- in.Text()
		}
		if err := in.Err(); err != nil {
			lines <- "cannot read the tests' output: " + err.Error()
		}
		close(lines)
	}()
	began, alive := time.Now(), time.NewTicker(15*time.Second)
	for open := true; open; {
		var line string
		select {
		case line, open = <-lines:
			if open {
				s.take(line)
			}
		case <-alive.C:
			fmt.Printf("    … %d s, %s\n", int(time.Since(began).Seconds()), s.busy())
		}
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped)
	if !s.good(os.Getenv("CI") == "true") {
		os.Exit(1)
	}
}

// good is the verdict; a package that fails without a failed test (it does not build, it
// panics) counts as well.
func (s *summary) good(ci bool) bool {
	switch {
	case s.failed > 0 || s.badPackages > 0:
		fmt.Printf("FAILED: %d tests, %d packages\n", s.failed, s.badPackages)
	case s.passed == 0:
		fmt.Println("FAILED: no test ran")
	case ci && s.skipped > 0:
		fmt.Println("FAILED: in CI a skipped test is a failed run")
	default:
		return true
	}
	return false
}

func (s *summary) busy() string {
	names := make([]string, 0, len(s.running))
	for n := range s.running {
		names = append(names, n)
	}
	if len(names) == 0 {
		return "compiling"
	}
	sort.Strings(names)
	return "running: " + strings.Join(names, " ")
}

func (s *summary) take(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		fmt.Println(line) // go's own words: a toolchain or build problem
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		s.output[key] = append(s.output[key], e.Output)
	case "build-output":
		fmt.Print(e.Output)
	case "start":
		s.running[e.Package] = true
	case "pass", "fail", "skip":
		s.finish(e, key)
	}
}

func (s *summary) finish(e event, key string) {
	if e.Test == "" {
		s.finishPackage(e, key)
		return
	}
	switch e.Action {
	case "pass":
		s.passed++
	case "fail":
		s.failed++
		fmt.Print(strings.Join(s.output[key], ""))
	case "skip":
		s.skipped++
		fmt.Print(strings.Join(s.output[key], ""))
	}
	delete(s.output, key)
}

func (s *summary) finishPackage(e event, key string) {
	delete(s.running, e.Package)
	switch e.Action {
	case "fail":
		s.badPackages++
		for k, out := range s.output { // whatever was still running when it died
			if strings.HasPrefix(k, e.Package+" ") {
				fmt.Print(strings.Join(out, ""))
				delete(s.output, k)
			}
		}
		fmt.Printf("FAIL  %s  %.1f s\n", e.Package, e.Elapsed)
	case "pass":
		fmt.Printf("ok    %s  %.1f s\n", e.Package, e.Elapsed)
	}
	delete(s.output, key)
}
