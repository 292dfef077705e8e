package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oasdiff/yaml"
)

type service struct {
	Image       string
	Build       string
	Environment map[string]string
	Ports       []string
	Volumes     []string
	DependsOn   map[string]struct{ Condition string } `json:"depends_on"`
	Healthcheck struct{ Test []string }
}

func readCompose(t *testing.T) (services map[string]service, volumes []string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]service
		Volumes  map[string]any
	}
	if _, err := yaml.Unmarshal(raw, &file, yaml.DecodeOpts{}); err != nil {
		t.Fatal(err)
	}
	for v := range file.Volumes {
		volumes = append(volumes, v)
	}
	return file.Services, volumes
}

func TestCompose(t *testing.T) {
	services, volumes := readCompose(t)
	db, app := services["db"], services["hatang"]
	if !pinned(db.Image) || !strings.HasPrefix(db.Image, "postgis/postgis:") {
		t.Errorf("db: image %q is not a pinned postgis", db.Image)
	}
	if app.Build != "." {
		t.Errorf("hatang: build %q, want the Dockerfile beside it", app.Build)
	}
	if len(db.Healthcheck.Test) == 0 || len(app.Healthcheck.Test) == 0 || app.DependsOn["db"].Condition != "service_healthy" {
		t.Error("hatang must wait for a healthy db, and both need a health check")
	}
	want := "@db:5432/" + db.Environment["POSTGRES_DB"]
	if got := app.Environment["DATABASE_URL"]; !strings.Contains(got, want) || !strings.Contains(got, "://"+db.Environment["POSTGRES_USER"]+":"+db.Environment["POSTGRES_PASSWORD"]+"@") {
		t.Errorf("DATABASE_URL %q does not lead to the service db", got)
	}
	if !slices.Contains(app.Ports, "8080:8080") || len(db.Ports) != 0 {
		t.Errorf("ports: hatang %v, want 8080:8080; db %v, want none", app.Ports, db.Ports)
	}
	for _, v := range db.Volumes {
		if name, _, _ := strings.Cut(v, ":"); !slices.Contains(volumes, name) {
			t.Errorf("volume %q is not declared", name)
		}
	}
}

// pinned: a tag with a number in it, never latest.
func pinned(image string) bool {
	_, tag, ok := strings.Cut(image, ":")
	return ok && tag != "latest" && strings.ContainsAny(tag, "0123456789")
}

// instruction finds a Dockerfile's instructions once continued lines are joined.
var instruction = regexp.MustCompile(`(?m)^([A-Z]+) +(.*)$`)

func TestDockerfile(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(raw), "\\\n", " ")
	seen := map[string][]string{}
	stages := []string{}
	for _, m := range instruction.FindAllStringSubmatch(text, -1) {
		verb, rest := m[1], m[2]
		seen[verb] = append(seen[verb], rest)
		switch verb {
		case "FROM":
			words := strings.Fields(rest)
			if !pinned(words[0]) {
				t.Errorf("FROM %s: the tag is not pinned", words[0])
			}
			if len(words) == 3 {
				stages = append(stages, words[2])
			}
		case "COPY":
			checkCopy(t, rest, stages)
		}
	}
	for _, verb := range []string{"USER", "EXPOSE", "HEALTHCHECK", "VOLUME", "ENTRYPOINT"} {
		if len(seen[verb]) == 0 {
			t.Errorf("no %s", verb)
		}
	}
	if !slices.Contains(seen["EXPOSE"], "8080") || slices.Contains(seen["USER"], "root") {
		t.Errorf("EXPOSE %v, USER %v", seen["EXPOSE"], seen["USER"])
	}
}

// checkCopy: what is copied exists, in the repository or in an earlier stage.
func checkCopy(t *testing.T, rest string, stages []string) {
	t.Helper()
	words := strings.Fields(rest)
	if stage, ok := strings.CutPrefix(words[0], "--from="); ok {
		if !slices.Contains(stages, stage) {
			t.Errorf("COPY %s: no earlier stage %q", rest, stage)
		}
		return
	}
	for _, source := range words[:len(words)-1] {
		if _, err := os.Stat(filepath.Join(root, source)); err != nil {
			t.Errorf("COPY %s: %v", rest, err)
		}
	}
}

// The image and the machine run the same major version of Go.
func TestDockerfileAgreesWithGoMod(t *testing.T) {
	read := func(name, pattern string) string {
		raw, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(pattern).FindSubmatch(raw)
		if m == nil {
			t.Fatalf("%s does not match %s", name, pattern)
		}
		return string(m[1])
	}
	image, mod := read("Dockerfile", `golang:(\d+\.\d+)`), read("go.mod", `(?m)^go (\d+\.\d+)`)
	if image != mod {
		t.Errorf("the Dockerfile builds with Go %s, go.mod wants %s", image, mod)
	}
}
