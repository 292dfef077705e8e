package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// paperReader is somebody who opens a paper.
type paperReader struct {
	name    string
	headers []string
}

// TestPapers: a mast is proposed and approved; each viewer finds on the papers what he may
// see and nothing else, the same in HTML and in PDF; from the mast one comes to its decision.
func TestPapers(t *testing.T) {
	t.Parallel()
	s := demo(t)
	viettel, vnpt, approver := bearer(newKey(t, s, "operator", "--organisation", "VIETTEL")), bearer(newKey(t, s, "operator", "--organisation", "VNPT")), bearer(newKey(t, s, "approver"))
	asked := s.paperMast(t, viettel, "VT-HOI", 103.0501234)
	s.paperMast(t, viettel, "VT-NHAP", 103.0504) // a draft that stays one
	s.paperMast(t, vnpt, "VN-NHAP", 103.0506)

	var filed struct{ ID int64 }
	s.call(t, http.MethodPost, "/api/v1/proposals", fmt.Sprintf(`{"title":"Trạm mới ở Noong Hẹt","features":[{"collection":"bts_sites","id":%d}]}`, asked), append(viettel, "Content-Type", "application/json")...).read(t, &filed)
	s.call(t, http.MethodPost, fmt.Sprintf("/api/v1/proposals/%d/decisions", filed.ID), `{"action":"approve","conditions":["Phải sơn báo hiệu hàng không."]}`, append(approver, "Content-Type", "application/json")...).wants(t, http.StatusOK)
	s.theDecision(t, asked, paperReader{"the public", nil}, paperReader{"VNPT", vnpt}, paperReader{"VIETTEL", viettel}, paperReader{"the approver", approver})
	s.theVerdict(t, viettel, vnpt)
	s.roundedPlace(t)
}

// TestApprovalsAgainstTheCheck: what has come to stand in the way since a mast was filed is found
// before it is approved, and the approval says why nevertheless; what is approved stays as it is.
func TestApprovalsAgainstTheCheck(t *testing.T) {
	t.Parallel()
	dir, key := demoDir(t)
	s := serve(t, dir, key, "--demo", "--date", "today")
	viettel, vnpt, approver, officer := bearer(newKey(t, s, "operator", "--organisation", "VIETTEL")), bearer(newKey(t, s, "operator", "--organisation", "VNPT")), bearer(newKey(t, s, "approver")), bearer(newKey(t, s, "officer", "--organisation", "VNPT"))
	const free = 103.1 // of other masts
	file := func(who []string, mast int64) (path string) {
		t.Helper()
		var filed struct{ ID int64 }
		s.call(t, http.MethodPost, "/api/v1/proposals", fmt.Sprintf(`{"title":"Trạm","features":[{"collection":"bts_sites","id":%d}]}`, mast), append(who, "Content-Type", "application/json")...).read(t, &filed)
		return fmt.Sprintf("/api/v1/proposals/%d", filed.ID)
	}
	decide := func(who []string, path, body string) answer {
		return s.call(t, http.MethodPost, path+"/decisions", body, append(who, "Content-Type", "application/json")...)
	}
	verdict := func(path string) string {
		var p struct {
			Verdict struct{ Verdict string }
		}
		s.call(t, http.MethodGet, path, "", approver...).read(t, &p)
		return p.Verdict.Verdict
	}
	mast := s.paperMast(t, vnpt, "VN-GAN", free+0.00005)
	first, second := file(viettel, s.paperMast(t, viettel, "VT-GAN", free)), file(vnpt, mast)
	if got := verdict(second); got != "permitted" {
		t.Fatalf("where nothing stands: %s", got)
	}
	decide(approver, first, `{"action":"approve"}`).wants(t, http.StatusOK)
	refused := decide(approver, second, `{"action":"approve"}`)
	if refused.wants(t, http.StatusConflict); !strings.Contains(string(refused.body), "COND-dd1") {
		t.Errorf("another was approved beside it: %s", refused.body)
	}
	decide(approver, second, `{"action":"approve","reasons":"Hai cột ở hai bên vách núi."}`).wants(t, http.StatusOK)
	if got := verdict(second); got == "permitted" {
		t.Errorf("the decision keeps what was found before: %s", got)
	}
	var p struct{ Decision string }
	s.call(t, http.MethodGet, second, "", approver...).read(t, &p)
	for _, change := range []string{`{"height_m":120}`, `{"mast_type":"A2a"}`} {
		s.call(t, http.MethodPatch, fmt.Sprintf("/api/v1/collections/bts_sites/items/%d", mast), `{"properties":`+change+`}`, append(officer, "Content-Type", "application/merge-patch+json")...).wants(t, http.StatusConflict)
	}
	var registered struct {
		State     string
		ExpiresOn string `json:"expires_on"`
	}
	decide(bearer(newKey(t, s, "officer")), second, `{"action":"build"}`).wants(t, http.StatusOK)
	if s.get(t, "/api/v1/decisions/"+p.Decision, &registered); registered.State != "built" || registered.ExpiresOn <= "2026-12-01" {
		t.Errorf("the register says %+v", registered)
	}
	for name, reader := range map[string][]string{"the public": nil, "the organisation": vnpt} {
		for form, text := range s.texts(t, "/api/v1/decisions/"+p.Decision+"?", reader) {
			if strings.Contains(text, "hai bên vách núi") != (reader != nil) || !strings.Contains(text, "Chiều cao (m): 42") {
				t.Errorf("%s, %s:\n%s", name, form, text)
			}
		}
	}
}

// TestApprovalsAtOnceKnowOfEachOther: of two masts that stand in each other's way and are approved at
// once, without a word of why, one is.
func TestApprovalsAtOnceKnowOfEachOther(t *testing.T) {
	t.Parallel()
	dir, key := demoDir(t)
	s := serve(t, dir, key, "--demo", "--date", "today")
	operators := map[string][]string{"VT": bearer(newKey(t, s, "operator", "--organisation", "VIETTEL")), "VN": bearer(newKey(t, s, "operator", "--organisation", "VNPT"))}
	approver := append(bearer(newKey(t, s, "approver")), "Content-Type", "application/json")
	const rounds = 6
	for round := range rounds {
		var paths []string
		for code, who := range operators {
			mast := s.paperMast(t, who, fmt.Sprint(code, "-", round), 103.1+0.01*float64(round)+map[string]float64{"VN": 0.0001}[code])
			var filed struct{ ID int64 }
			s.call(t, http.MethodPost, "/api/v1/proposals", fmt.Sprintf(`{"title":"Trạm","features":[{"collection":"bts_sites","id":%d}]}`, mast), append(who, "Content-Type", "application/json")...).read(t, &filed)
			paths = append(paths, fmt.Sprintf("/api/v1/proposals/%d/decisions", filed.ID))
		}
		statuses := make([]int, len(paths))
		var both sync.WaitGroup
		for i, path := range paths {
			both.Go(func() { statuses[i] = s.call(t, http.MethodPost, path, `{"action":"approve"}`, approver...).status })
		}
		both.Wait()
		if slices.Sort(statuses); !slices.Equal(statuses, []int{http.StatusOK, http.StatusConflict}) {
			t.Errorf("round %d: %v", round, statuses)
		}
	}
}

// paperMast makes a draft of a mast and returns its id.
func (s *server) paperMast(t *testing.T, who []string, code string, lon float64) (id int64) {
	t.Helper()
	organisation := map[string]string{"VT": "VIETTEL", "VN": "VNPT"}[code[:2]]
	a := s.call(t, http.MethodPost, "/api/v1/collections/bts_sites/items", fmt.Sprintf(`{"type":"Feature","geometry":{"type":"Point","coordinates":[%v,21.3601234]},"properties":{"code":%q,"mast_type":"A2b","structure":"self_supporting",
		"height_m":42,"status":"draft","valid_from":"2020-01-01","jurisdiction":"11","owner_organisation":%q}}`, lon, code, organisation), append(who, "Content-Type", "application/geo+json")...)
	a.wants(t, http.StatusCreated)
	if _, err := fmt.Sscanf(a.header.Get("Location")[strings.LastIndex(a.header.Get("Location"), "/")+1:], "%d", &id); err != nil {
		t.Fatal(err)
	}
	return id
}

// texts are what a paper says in each of its forms.
func (s *server) texts(t *testing.T, path string, headers []string) map[string]string {
	t.Helper()
	page := s.call(t, http.MethodGet, path+"lang=vi", "", append(headers, "Accept", "text/html,*/*;q=0.8")...)
	named := s.call(t, http.MethodGet, path+"f=html&lang=vi", "", headers...)
	file := s.call(t, http.MethodGet, path+"f=pdf&lang=vi", "", headers...)
	preferred := s.call(t, http.MethodGet, path+"lang=vi", "", append(headers, "Accept", "application/pdf, */*;q=0.1")...)
	for _, a := range []answer{page, named, file, preferred} {
		a.wants(t, http.StatusOK)
	}
	if kind := file.header.Get("Content-Type"); kind != "application/pdf" || string(preferred.body) != string(file.body) || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("%s is sent as %s, %s", path, kind, page.header.Get("Content-Type"))
	}
	if file.header.Get("Content-Language") != "vi" || !strings.Contains(file.header.Get("Vary"), "Accept") || !strings.Contains(string(named.body), "f=pdf") {
		t.Errorf("%s: %v", path, file.header)
	}
	name := filepath.Join(t.TempDir(), "paper.pdf")
	if err := os.WriteFile(name, file.body, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", name, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"HTML": string(page.body), "PDF": strings.Join(strings.Fields(string(text)), " ")}
}

// saysOnly holds each form of a paper to what it must say and, behind a !, must not.
func saysOnly(t *testing.T, who string, texts map[string]string, wants ...string) {
	t.Helper()
	for form, text := range texts {
		for _, want := range wants {
			if bare, never := strings.CutPrefix(want, "!"); strings.Contains(text, bare) == never {
				t.Errorf("the %s for %s: %q", form, who, want)
			}
		}
	}
}

func (s *server) theDecision(t *testing.T, mast int64, readers ...paperReader) {
	var register struct{ Decisions []struct{ Number string } }
	why := fmt.Sprintf("/api/v1/decisions?collection=bts_sites&feature=%d", mast)
	s.get(t, why, &register)
	if len(register.Decisions) != 1 {
		t.Fatalf("the mast is here by %+v", register)
	}
	path := "/api/v1/decisions/" + register.Decisions[0].Number
	for _, r := range readers {
		texts := s.texts(t, path+"?", r.headers)
		saysOnly(t, r.name, texts, register.Decisions[0].Number, "VT-HOI", "Phải sơn báo hiệu hàng không.", "Viettel", "103,0501234", "quy hoạch", "Xã Thanh Xương", "!VT-NHAP", "!VN-NHAP")
		saysOnly(t, r.name, map[string]string{"HTML": texts["HTML"]}, `href="`+path+`">`+s.url+path)
		if own := r.name == "VIETTEL" || r.name == "the approver"; own {
			saysOnly(t, r.name, texts, "Trạm mới ở Noong Hẹt", "COND-dd1", "V-20")
		} else {
			saysOnly(t, r.name, texts, "!Noong Hẹt", "!COND-dd1", "!V-20")
		}
	}
	a := s.call(t, http.MethodGet, path+"?f=pdf", "")
	if etag := a.header.Get("ETag"); a.header.Get("Cache-Control") != "public, no-cache" || etag == "" {
		t.Errorf("a public paper: %v", a.header)
	} else {
		s.call(t, http.MethodGet, path+"?f=pdf", "", "If-None-Match", etag).wants(t, http.StatusNotModified)
	}
	if a := s.call(t, http.MethodGet, path+"?f=pdf", "", readers[1].headers...); a.header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("for VNPT: %v", a.header)
	}
	item := string(s.call(t, http.MethodGet, fmt.Sprintf("/api/v1/collections/bts_sites/items/%d?f=html&lang=vi", mast), "").body)
	if !strings.Contains(item, "Vì sao ở đây") || !strings.Contains(item, strings.ReplaceAll(why, "&", "&amp;")) {
		t.Errorf("the page of the mast does not lead to its decision")
	}
	list := string(s.call(t, http.MethodGet, why+"&f=html&lang=en", "").body)
	if !strings.Contains(list, "Why is this here?") || !strings.Contains(list, path) {
		t.Errorf("why it is here: %s", list)
	}
	s.call(t, http.MethodGet, "/api/v1/decisions?f=html&organisation=&outcome=approved&year=", "").wants(t, http.StatusOK)
	s.call(t, http.MethodGet, path+"?f=geojson", "").isProblem(t, http.StatusBadRequest)
}

// theVerdict: nobody but who asked gets the paper; who scans its code learns that it holds.
func (s *server) theVerdict(t *testing.T, viettel, vnpt []string) {
	const question = `{"placement_check":{"lon":103.0502,"lat":21.3602,"mast_type":"A2b","height_m":30,"structure":"self_supporting","operator":"VIETTEL"}}`
	d := s.call(t, http.MethodPost, "/api/v1/verdicts", question, append(viettel, "Content-Type", "application/json")...).created(t)
	path := "/api/v1/verdicts/" + d.Body.Number
	verification := path + "/verification?code=" + d.Body.Code
	saysOnly(t, "VIETTEL", s.texts(t, path+"?", viettel), d.Body.Number, d.Body.Code, d.Key, "QH-0297", "!VN-NHAP", "COND-dd1", "kinh độ 103,0502°, vĩ độ 21,3602°", "EPSG:9205", "cột tự đứng", "dien-bien-2016@1")
	if a := s.call(t, http.MethodGet, path+"?f=pdf", "", viettel...); a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a verdict's paper: %v", a.header)
	}
	for _, f := range []string{"html", "pdf"} {
		s.call(t, http.MethodGet, path+"?f="+f, "", vnpt...).wants(t, http.StatusNotFound)
		s.call(t, http.MethodGet, path+"?f="+f, "").wants(t, http.StatusUnauthorized)
	}
	page := string(s.call(t, http.MethodGet, verification+"&lang=vi", "", "Accept", "text/html").body)
	if !strings.Contains(page, "đúng như khi được ký") || !strings.Contains(page, "103,0502") {
		t.Errorf("who scans the code reads %s", page)
	}
}

// roundedPlace: where a province rounds places, its public papers do, too.
func (s *server) roundedPlace(t *testing.T) {
	s.call(t, http.MethodPut, "/api/v1/publications/11", `{"exactness":"rounded","cell_degrees":0.01}`, append(bearer(s.key), "Content-Type", "application/json")...).wants(t, http.StatusNoContent)
	var register struct{ Decisions []struct{ Number string } }
	s.get(t, "/api/v1/decisions", &register)
	saysOnly(t, "the public of a province that rounds", s.texts(t, "/api/v1/decisions/"+register.Decisions[0].Number+"?", nil), "kinh độ 103,05°, vĩ độ 21,36°", "làm tròn", "!103,0501234", "!21,3601234")
}
