package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"hatang/internal/account"
	"hatang/internal/permit"
)

// partsTable says who may do what with a proposal of two masts of VNPT, one in district 094 (here) and
// one in 095 (far), about both of which SXD is asked, as required. Like rightsTable it is written by
// hand; "ok" is the status of success. What the words say of the mast here they say of it as of a
// draft: staff of one of the districts has it there as one that is in no proposal.
//
// mixed is an officer here and an approver in 095; both-of-owner an officer of both who is of VNPT;
// key-ducts and key-sites are VNPT's, for these layers; asked-here is of SXD, and an officer here.
const partsTable = `
request            anonymous  operator  key-sites  key-ducts  rival  asked  asked-here  officer-here  officer-far  officer-both  both-of-owner  officer  approver-here  approver-far  approver-both  approver  mixed  administrator
show               401        ok        ok         404        404    ok     404         404           404          ok            ok             ok       404            404           ok             ok        ok     ok
files              401        ok        ok         404        404    ok     404         404           404          ok            ok             ok       404            404           ok             ok        ok     ok
file               401        ok        ok         404        404    ok     404         404           404          ok            ok             ok       404            404           ok             ok        ok     ok
question           401        404       404        404        404    ok     ok          404           404          ok            ok             ok       404            404           ok             ok        ok     ok
draft              404        ok        ok         404        404    ok     ok          ok            404          ok            ok             ok       ok             404           ok             ok        ok     ok
attach             401        ok        ok         404        404    ok     404         404           404          ok            403            ok       404            404           403            403       403    ok
ask_more           401        403       403        404        404    404    404         404           404          ok            403            ok       404            404           403            403       403    ok
consult            401        403       403        404        404    403    404         404           404          ok            403            ok       404            404           403            403       403    ok
answer             401        403       403        404        404    ok     404         404           404          ok            403            ok       404            404           403            403       403    ok
approve            401        403       403        404        404    404    404         404           404          403           403            403      404            404           ok             ok        403    403
approve-required   401        403       403        404        404    403    404         404           404          403           403            403      404            404           409            409       403    403
refuse             401        403       403        404        404    404    404         404           404          403           403            403      404            404           ok             ok        403    403
withdraw           401        ok        ok         404        404    404    404         404           404          403           403            403      404            404           403            403       403    403
withdraw-question  401        404       404        404        404    403    403         404           404          ok            403            ok       404            404           403            403       403    ok
extend-question    401        404       404        404        404    403    403         404           404          ok            403            ok       404            404           403            403       403    ok
ask-beside         401        403       403        403        403    403    ok          ok            400          ok            ok             ok       403            403           403            403       ok     ok
change-draft       401        409       409        403        404    403    ok          ok            404          409           409            409      403            403           403            403       409    409
remove-draft       401        409       409        403        404    403    ok          ok            404          409           409            409      403            403           403            403       409    409
file-again         401        400       400        400        400    403    403         403           403          403           403            403      403            403           403            403       403    403
`

// parts is a register with those who have to do with such proposals.
type parts struct {
	*register
	t             *testing.T
	administrator []string
	places        map[string][2]float64
	operator      account.Viewer
	officer       account.Viewer
	agency        account.Viewer
}

// filedApart is a proposal of two drafts, with a file and a question.
type filedApart struct {
	proposal, here, file, question int64
}

func newParts(t *testing.T) *parts {
	t.Helper()
	p := &parts{register: newRegister(t), t: t, places: map[string][2]float64{},
		operator: account.Viewer{Name: "key:filing", Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator}}},
		officer:  account.Holder("key:deciding", account.Officer),
		agency:   account.Viewer{Name: "key:answering", Organisation: askedAgency, Grants: []account.Grant{{Role: account.Consulted}}}}
	for _, code := range []string{here, elsewhere} {
		var at [2]float64
		if err := p.owner.QueryRow(t.Context(), "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(hatang_territory($1)) p) p", code).Scan(&at[0], &at[1]); err != nil {
			t.Fatal(err)
		}
		p.places[code] = at
	}
	_, key := p.key(t, 0, "", time.Time{}, account.Grant{Role: account.Administrator})
	p.administrator = bearer(key)
	return p
}

// everyone are those of the columns and their credentials.
func (p *parts) everyone() map[string][]string {
	role := func(role account.Role, territories ...string) (list []account.Grant) {
		for _, code := range territories {
			list = append(list, account.Grant{Role: role, Territory: code})
		}
		return list
	}
	on := func(layer string) []account.Grant {
		return []account.Grant{{Role: account.Operator, Layers: []string{layer}}}
	}
	all := map[string][]string{"anonymous": nil, "administrator": p.administrator}
	for name, one := range map[string]struct {
		organisation string
		grants       []account.Grant
	}{
		"operator": {"VNPT", role(account.Operator, "")}, "key-sites": {"VNPT", on("bts_sites")}, "key-ducts": {"VNPT", on("ducts")}, "rival": {"VIETTEL", role(account.Operator, "")},
		"asked": {askedAgency, role(account.Consulted, "")}, "asked-here": {askedAgency, append(role(account.Consulted, ""), role(account.Officer, here)...)},
		"officer-here": {"", role(account.Officer, here)}, "officer-far": {"", role(account.Officer, elsewhere)}, "officer-both": {"", role(account.Officer, here, elsewhere)},
		"both-of-owner": {"VNPT", role(account.Officer, here, elsewhere)}, "officer": {"", role(account.Officer, "")},
		"approver-here": {"", role(account.Approver, here)}, "approver-far": {"", role(account.Approver, elsewhere)}, "approver-both": {"", role(account.Approver, here, elsewhere)},
		"approver": {"", role(account.Approver, "")}, "mixed": {"", append(role(account.Officer, here), role(account.Approver, elsewhere)...)},
	} {
		_, key := p.key(p.t, 0, one.organisation, time.Time{}, one.grants...)
		all[name] = bearer(key)
	}
	return all
}

// file makes a proposal; asked: the agency is, and its consent required.
func (p *parts) file(asked bool) (f filedApart) {
	p.t.Helper()
	n := permit.NewFile{Title: "x", Verdict: []byte("{}")}
	for _, code := range []string{here, elsewhere} {
		a := send(p.server, http.MethodPost, sites, site(newCode(), "draft", "VNPT", p.places[code]), append(p.administrator, "Content-Type", "application/geo+json")...)
		a.wants(p.t, http.StatusCreated)
		n.Features = append(n.Features, permit.FiledFeature{Collection: "bts_sites", ID: idIn(a)})
	}
	f.here = n.Features[0].ID
	must := func(err error) {
		p.t.Helper()
		if err != nil {
			p.t.Fatal(err)
		}
	}
	var err error
	f.proposal, err = p.store.FileProposal(p.t.Context(), p.operator, n)
	must(err)
	sum := sha256.Sum256([]byte("x"))
	f.file, err = p.store.AttachFile(p.t.Context(), p.operator, f.proposal, permit.NewAttachment{Name: "x.txt", MediaType: "text/plain", Bytes: 1, SHA256: sum[:], Content: strings.NewReader("x")})
	must(err)
	if asked {
		_, _, err = p.store.DecideProposal(p.t.Context(), p.officer, f.proposal, permit.Decision{Action: permit.Consult, Agencies: []string{askedAgency}, Required: true})
		must(err)
		f.question = value[int64](p.t, p.register, "SELECT id FROM consultations WHERE proposal = $1 AND feature = $2", f.proposal, f.here)
	}
	return f
}

// ask is the request of a row of the table, and the status of its success.
func (f filedApart) ask(row string) (method, path, body string, ok int) {
	proposal, draft := fmt.Sprint("/api/v1/proposals/", f.proposal), fmt.Sprint(sites, "/", f.here)
	question := fmt.Sprint(consultationsPath, "/", f.question)
	decide := func(action, further string) (string, string, string, int) {
		return http.MethodPost, proposal + "/decisions", fmt.Sprintf(`{"action":%q%s}`, action, further), http.StatusOK
	}
	switch row {
	case "show":
		return http.MethodGet, proposal, "", http.StatusOK
	case "files":
		return http.MethodGet, proposal + "/attachments", "", http.StatusOK
	case "file":
		return http.MethodGet, fmt.Sprint(proposal, "/attachments/", f.file), "", http.StatusOK
	case "question":
		return http.MethodGet, question, "", http.StatusOK
	case "draft":
		return http.MethodGet, draft, "", http.StatusOK
	case "attach":
		return http.MethodPost, proposal + "/attachments?name=x.json", "{}", http.StatusCreated
	case "ask_more", "refuse":
		return decide(row, `,"reasons":"x"`)
	case "consult":
		return decide(row, `,"agencies":["BCHQS"]`)
	case "answer":
		return decide(row, `,"agency":"SXD","answer":"agreed"`)
	case "approve", "approve-required":
		return decide("approve", "")
	case "withdraw":
		return decide(row, "")
	case "withdraw-question":
		return http.MethodPatch, question, `{"state":"withdrawn"}`, http.StatusNoContent
	case "extend-question":
		return http.MethodPatch, question, `{"due_on":"2090-01-01"}`, http.StatusNoContent
	case "ask-beside":
		return http.MethodPost, consultationsPath, fmt.Sprintf(`{"collection":"bts_sites","feature":%d,"agency":"SXD"}`, f.here), http.StatusCreated
	case "change-draft":
		return http.MethodPatch, draft, `{"properties":{"height_m":33}}`, http.StatusNoContent
	case "remove-draft":
		return http.MethodDelete, draft, "", http.StatusNoContent
	case "file-again":
		return http.MethodPost, "/api/v1/proposals", fmt.Sprintf(`{"title":"x","features":[{"collection":"bts_sites","id":%d}]}`, f.here), http.StatusCreated
	}
	return "", "", "", 0
}

// onceAsked are the rows of a proposal about which the agency is asked; others are of one that has just
// been filed.
const onceAsked = " show files file question draft attach consult answer approve-required withdraw-question extend-question ask-beside "

// A proposal with features in two territories is for who has to do with both, and what of it lies in
// one is for staff there a draft like others. Each cell has a proposal of its own where one that
// was allowed has used it up.
func TestAProposalOfTwoTerritories(t *testing.T) {
	p := newParts(t)
	everyone, table := p.everyone(), readTable(t, partsTable)
	cells := 0
	for row, words := range table {
		f := p.file(strings.Contains(onceAsked, " "+row+" "))
		for name, word := range words {
			credentials, known := everyone[name]
			if name == "request" {
				continue
			}
			if !known {
				t.Fatalf("the table has a column %s", name)
			}
			method, path, body, ok := f.ask(row)
			kind := "application/json"
			if strings.HasPrefix(path, sites) {
				kind = "application/merge-patch+json"
			}
			a := send(p.server, method, path, body, append([]string{"Content-Type", kind}, credentials...)...)
			cells++
			if want := status(word, ok); a.status != want {
				t.Errorf("%s by %s: %d, want %s\n\t%.300s", row, name, a.status, word, a.body)
			}
			if row == "show" {
				p.lists(f, name, credentials, word == "ok")
			}
			if method != http.MethodGet && a.status < http.StatusBadRequest {
				f = p.file(strings.Contains(onceAsked, " "+row+" "))
			}
		}
	}
	t.Logf("%d cells", cells)
}

// lists looks for the proposal, its question and its deadline in all that lists them.
func (p *parts) lists(f filedApart, name string, credentials []string, sees bool) {
	p.t.Helper()
	for _, path := range []string{"/api/v1/proposals?limit=1000", "/api/v1/proposals?limit=1000&sortby=due_on", "/api/v1/proposals?limit=1000&state=consulting&territory=094", consultationsPath + "?limit=1000"} {
		id, listed := f.proposal, sees
		if strings.HasPrefix(path, consultationsPath) {
			id, listed = f.question, strings.HasPrefix(name, "asked") || sees && name != "operator" && name != "key-sites"
		}
		a := send(p.server, http.MethodGet, path, "", credentials...)
		if told := strings.Contains(string(a.body), fmt.Sprintf(`"id":%d,`, id)); told != listed {
			p.t.Errorf("%s by %s lists it: %v, want %v", path, name, told, listed)
		}
	}
}
