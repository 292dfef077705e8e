package main

import (
	"fmt"
	"strings"
	"time"

	"hatang/internal/account"
)

// otherPath fills in the path of a cell that is no row's.
func (m *matrix) otherPath(p *principal, c *cell) (string, error) {
	v := c.place.victims
	code := map[bool]string{true: "03124"}[strings.Contains(c.path, "/communes/")]
	switch {
	case strings.Contains(c.path, "/districts/"):
		code = here
	case code == "":
		code = "11"
	}
	key := v.key
	if c.kind == "revoke-own-key" {
		switch c.kindFor(p) {
		case "revoke-program's-key":
			key = v.programKey
		default:
			if p.person != 0 {
				var err error
				if key, _, err = m.newKey(p.person, p.organisation, time.Time{}, account.Grant{Role: account.Consulted}); err != nil {
					return "", err
				}
				c.place.image = ""
			}
		}
	}
	if c.kind == "new-layer" {
		return c.path + "?name=new_" + strings.ToLower(strings.TrimPrefix(newCode(), "MT-")), nil
	}
	if strings.HasSuffix(c.path, "/placement-checks/network") {
		return c.path + "?operator=VNPT", nil
	}
	switch c.kind {
	case "attach-file":
		return strings.Replace(c.path, "{proposalId}", fmt.Sprint(v.proposal), 1) + "?name=x.json", nil
	case "search":
		return c.path + "?collections=kiosks&q=asked+draft", nil
	case "add-import":
		return c.path + "?collection=kiosks", nil
	case "revert":
		return c.path + "?dry_run=true", nil
	case "merge-sites":
		if strings.HasSuffix(c.path, "refusals") {
			return c.path, nil
		}
		return c.path + "?dry_run=true", nil
	case "history":
		return c.path + fmt.Sprint("?collection=kiosks&feature=", v.features["draft"]), nil
	}
	rules, path := "dien-bien-2016", c.path
	if c.kind != "document" {
		rules = v.rules
	}
	if strings.HasSuffix(path, "/differences") || strings.HasSuffix(path, "/effects") {
		path += "?from=dien-bien-2016@1"
	}
	return strings.NewReplacer("{ruleSetId}", rules, "{version}", "1", "{code}", code, "{table}", "wifi_points", "{styleId}", "default", "{keyId}", key, "{consultationId}", fmt.Sprint(v.consultation), "{importId}", fmt.Sprint(v.imported), "{mappingId}", fmt.Sprint(v.mapping), "{proposalId}", fmt.Sprint(v.proposal), "{attachmentId}", fmt.Sprint(v.attachment), "{organisation}", "VNPT", "{number}", v.decision, "{verdictNumber}", v.verdict, "{sharingNumber}", v.sharing, "{noticeId}", fmt.Sprint(v.notice), "{personId}", fmt.Sprint(v.person), "{grantId}", fmt.Sprint(v.grant)).Replace(wholeEarth.Replace(path)), nil
}

// otherBody is the body of a cell that is no row's: one that is valid, so that rights
// alone decide.
func (m *matrix) otherBody(p *principal, c *cell) string {
	switch c.kind {
	case "ask-of-draft", "ask-of-published":
		return fmt.Sprintf(`{"collection":"kiosks","feature":%d,"agency":"STTTT"}`, c.place.victims.features[strings.TrimPrefix(c.kind, "ask-of-")])
	case "revert":
		return fmt.Sprintf(`{"collection":"kiosks","feature":%d,"to":"2020-01-01"}`, c.place.victims.features["draft"])
	case "merge-sites":
		if strings.HasSuffix(c.path, "splits") {
			return `{"position":"MT-SITE-A","site":"MT-SITE-D"}`
		}
		return `{"sites":["MT-SITE-A","MT-SITE-C"]}`
	case "file-proposal":
		return fmt.Sprintf(`{"title":"x","features":[{"collection":"bts_sites","id":%d}]}`, c.place.victims.unfiled)
	case "ask-sharing":
		return fmt.Sprintf(`{"together":{"collection":"bts_sites","lon":%v,"lat":%v,"partners":["VIETTEL"]},"reasons":"x"}`, m.middle[here][0], m.middle[here][1])
	case "decline-sharing":
		return `{"action":"decline","reasons":"x"}`
	case "refuse-proposal":
		return `{"action":"refuse","reasons":"x"}`
	case "attach-file":
		return `{}`
	case "answer":
		return `{"answer":"objected","note":"x"}`
	case "withdraw":
		return `{"state":"withdrawn"}`
	case "check":
		return fmt.Sprintf(`{"lon":%v,"lat":%v,"mast_type":"A2b","date":"2020-12-31"}`, m.middle[here][0], m.middle[here][1])
	case "record-verdict":
		return fmt.Sprintf(`{"placement_check":{"lon":%v,"lat":%v,"mast_type":"A2b"}}`, m.middle[here][0], m.middle[here][1])
	case "cable":
		at := m.middle[here]
		return fmt.Sprintf(`{"geometry":{"type":"LineString","coordinates":[[%v,%v,6],[%v,%v,6]]},"carrier":"telecom_pole","date":"2020-12-31"}`, at[0], at[1], at[0]+0.001, at[1])
	case "sign-in":
		return fmt.Sprintf(`{"login":%q,"password":%q}`, m.signIn, password)
	case "sign-in-wrongly":
		return fmt.Sprintf(`{"login":%q,"password":"no password at all"}`, m.signIn)
	case "password":
		if strings.HasSuffix(c.path, "/notices") {
			return `{"on":true}`
		}
		return fmt.Sprintf(`{"old":%q,"new":%q}`, password, password)
	case "key-own":
		return `{"name":"x","grants":` + p.ownGrants() + `}`
	case "key-wider":
		return `{"name":"x","grants":[{"role":"administrator"}]}`
	case "key-of-program":
		return fmt.Sprintf(`{"name":"x","own":false,"organisation":%q,"grants":%s}`, "VNPT", p.ownGrants())
	}
	switch c.operation {
	case "POST /collections", "POST /imports":
		return `{"type":"FeatureCollection","features":[{"type":"Feature","id":1,"properties":{"x":1},"geometry":null}]}`
	case "POST /calendar":
		return fmt.Sprintf(`{"days":[{"date":"2150-01-02","working":false,"name":{"vi":%q},"source":"x"}]}`, newCode())
	case "POST /rule-sets":
		return rulesOf(newCode())
	case "PUT /rule-sets/{ruleSetId}/{version}":
		return rulesOf(c.place.victims.rules)
	case "POST /mappings":
		return fmt.Sprintf(`{"collection":"kiosks","name":%q,"reading":{"columns":{"A":"code"}}}`, newCode())
	case "PUT /mappings/{mappingId}":
		return fmt.Sprintf(`{"reading":{"columns":{%q:"code"}}}`, newCode())
	case "POST /people":
		return fmt.Sprintf(`{"login":"new-%s","name":"x","password":%q,"grants":[{"role":"administrator"}]}`, strings.ToLower(newCode()), password)
	case "PATCH /people/{personId}":
		return `{"name":"y"}`
	case "POST /people/{personId}/grants":
		return `{"role":"administrator"}`
	case "POST /organisations":
		return fmt.Sprintf(`{"code":%q,"kind":"operator","name":{"vi":"x","en":"x"}}`, newCode())
	case "PUT /webhooks/{organisation}":
		return `{"url":"https://example.vn/told"}`
	case "PUT /publications/{code}":
		return `{"exactness":"exact"}`
	}
	return ""
}
