package main

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// rightsTable says how every kind of request is answered to every kind of client, "ok"
// being the status that the operation has for success. It is written by hand: whatever
// differs from it is a fault of the server, or a decision to be made here.
//
// Drafts are VNPT's and lie in district 094, as do all other rows. The operator is of
// VNPT, the rival of VIETTEL; officer-here and approver-here are limited to 094, -far to 095.
// officer-layer is limited to the layer, other-layers to others. asked is of an agency that
// is asked about the drafts, consulted of another. Consultations are about kiosks in 094; one
// of them, a draft, is searched for, and its history is, and what would become of it if it were reverted.
// Imports are into kiosks, too; the one that is asked for is nobody's of these.
// Mappings are into kiosks, and of staff who belong to no organisation.
// Proposals are of a mast in 094, about which the agency is asked, whose answer has a file; one that is refused is in the register.
// Requests to share are VNPT's, who asks VIETTEL to build together in 094.
// The verdict that is asked for was recorded for the operator.
// over is the cookie of a session that is over, forged what a session sends without its
// token or from another site. Where a client cannot be, there is a dash. The rows that begin
// with staff- are of a reference layer that is for staff alone: the others are not even to
// know that it is there.
const rightsTable = `
request                anonymous person operator rival consulted asked officer-here officer-far officer-layer other-layers officer approver-here approver-far administrator bad-key over forged
document               ok        ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
page                   ok        ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     ok   -
options                ok        ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            ok      ok   -
options-of-page        ok        ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     ok   -
no-head                405       405    405      405   405       405   405          405         405           405          405     405           405          405           405     405  -
not-offered            404       404    404      404   404       404   404          404         404           404          404     404           404          404           401     404  -
list                   ok        ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
download               ok        ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
row-published          ok        ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
row-draft              404       404    ok       404   404       ok    ok           404         ok            404          ok      ok            404          ok            401     401  -
row-withheld           404       404    404      404   404       404   ok           ok          ok            404          ok      ok            ok           ok            401     401  -
row-absent             404       404    404      404   404       404   404          404         404           404          404     404           404          404           401     401  -
list-known             401       403    ok       ok    403       403   ok           ok          ok            403          ok      ok            ok           ok            401     401  -
download-known         401       403    ok       ok    403       403   ok           ok          ok            403          ok      ok            ok           ok            401     401  -
known-published        401       403    ok       404   403       403   ok           ok          ok            403          ok      ok            ok           ok            401     401  -
known-draft            401       403    ok       404   403       403   ok           404         ok            403          ok      ok            404          ok            401     401  -
known-withheld         401       403    404      404   403       403   ok           ok          ok            403          ok      ok            ok           ok            401     401  -
known-absent           401       403    404      404   403       403   404          404         404           403          404     404           404          404           401     401  -
confidential-values    404       404    ok       404   404       404   ok           404         ok            404          ok      ok            404          ok            401     401  -
create-published       401       403    403      403   403       403   ok           403         ok            403          ok      403           403          ok            401     401  403
create-draft           401       403    ok       403   403       403   ok           403         ok            403          ok      403           403          ok            401     401  403
create-rivals-draft    401       403    403      ok    403       403   ok           403         ok            403          ok      403           403          ok            401     401  403
create-withheld        401       403    403      403   403       403   ok           403         ok            403          ok      403           403          ok            401     401  403
write-published        401       403    403      403   403       403   ok           403         ok            403          ok      403           403          ok            401     401  403
move-published         401       403    403      403   403       403   403          403         ok            403          ok      403           403          ok            401     401  403
write-draft            401       403    ok       404   403       403   ok           404         ok            403          ok      403           403          ok            401     401  403
move-draft             401       403    ok       404   403       403   403          404         ok            403          ok      403           403          ok            401     401  403
give-draft-away        401       403    403      404   403       403   ok           404         ok            403          ok      403           403          ok            401     401  403
publish-draft          401       403    403      404   403       403   ok           404         ok            403          ok      403           403          ok            401     401  403
write-withheld         401       403    403      403   403       403   ok           403         ok            403          ok      403           403          ok            401     401  403
move-withheld          401       403    403      403   403       403   403          403         ok            403          ok      403           403          ok            401     401  403
succeed-published      401       403    403      403   403       403   ok           403         ok            403          ok      403           403          ok            401     401  403
succeed-draft          401       403    ok       404   403       403   ok           404         ok            403          ok      403           403          ok            401     401  403
succeed-withheld       401       403    403      403   403       403   ok           403         ok            403          ok      403           403          ok            401     401  403
write-absent           401       403    404      404   403       403   404          404         404           403          404     403           403          404           401     401  403
write-absent-no-drafts 401       403    403      403   403       403   404          404         404           403          404     403           403          404           401     401  403
check                  ok        ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  403
cable                  ok        ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  403
search                 ok        ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
history                401       403    ok       ok    403       403   ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
revert                 401       403    403      403   403       403   ok           404         ok            404          ok      403           403          ok            401     401  403
propose-sites          401       403    403      403   403       403   ok           ok          ok            ok           ok      403           403          ok            401     401  -
merge-sites            401       403    403      403   403       403   ok           403         403           403          ok      403           403          ok            401     401  403
consultations          401       ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
consultation           401       404    404      404   404       ok    ok           404         ok            404          ok      ok            404          ok            401     401  -
ask-of-draft           401       403    403      403   403       403   ok           400         ok            403          ok      403           403          ok            401     401  403
ask-of-published       401       403    403      403   403       403   ok           403         ok            403          ok      403           403          ok            401     401  403
answer                 401       404    404      404   404       ok    403          404         403           404          403     403           404          403           401     401  403
withdraw               401       404    404      404   404       403   ok           404         ok            404          ok      403           404          ok            401     401  403
proposals              401       ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
proposal               401       404    ok       404   404       ok    ok           404         404           ok           ok      ok            404          ok            401     401  -
drafts-to-file         401       403    ok       ok    403       403   403          403         403           403          403     403           403          403           401     401  -
file-proposal          401       403    ok       400   403       403   403          403         403           403          403     403           403          403           401     401  403
refuse-proposal        401       404    403      404   404       403   403          404         404           403          403     ok            404          403           401     401  403
attachments            401       404    ok       404   404       ok    ok           404         404           ok           ok      ok            404          ok            401     401  -
attachment-of-answer   401       404    404      404   404       ok    ok           404         404           ok           ok      ok            404          ok            401     401  -
attach-file            401       404    ok       404   404       ok    ok           404         404           403          ok      403           404          ok            401     401  403
sharings               401       ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
sharing                401       404    ok       ok    404       404   ok           404         404           ok           ok      ok            404          ok            401     401  -
ask-sharing            401       403    ok       400   403       403   403          403         403           403          403     403           403          403           401     401  403
decline-sharing        401       404    403      ok    404       404   403          404         404           403          403     403           404          403           401     401  403
rules-draft            404       404    404      404   404       404   ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
draft-rules            401       403    403      403   403       403   403          403         403           403          ok      403           403          ok            401     401  403
change-calendar        401       403    403      403   403       403   403          403         403           403          ok      403           403          ok            401     401  403
rules-publish          401       403    403      403   403       403   403          403         403           403          403     403           403          ok            401     401  403
record-verdict         401       ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  403
verdict                401       404    ok       404   404       404   404          404         404           404          ok      404           404          ok            401     401  -
replay-verdict         401       404    ok       404   404       404   404          404         404           404          ok      404           404          ok            401     401  403
imports                401       ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
import                 401       404    404      404   404       404   404          404         404           404          404     404           404          ok            401     401  -
add-import             401       403    ok       ok    403       403   ok           ok          ok            403          ok      403           403          ok            401     401  403
cancel-import          401       404    404      404   404       404   404          404         404           404          404     404           404          ok            401     401  403
mappings               401       ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
mapping                401       404    404      404   404       404   ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
save-mapping           401       403    403      403   403       403   ok           ok          ok            403          ok      403           403          ok            401     401  403
keys                   401       ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  -
key-own                401       403    ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  403
key-own-by-key         -         403    403      403   403       403   403          403         403           403          403     403           403          ok            -       -    -
key-wider              401       403    403      403   403       403   403          403         403           403          403     403           403          ok            401     401  403
key-of-program         401       403    403      403   403       403   403          403         403           403          403     403           403          ok            401     401  403
revoke-others-key      401       404    404      404   404       404   404          404         404           404          404     404           404          ok            401     401  403
revoke-own-key         401       ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     401  403
revoke-own-by-key      -         -      404      404   404       404   404          404         404           404          404     404           404          ok            -       -    -
revoke-program's-key   -         404    404      404   404       404   404          404         404           404          404     404           404          ok            -       -    -
administer             401       403    403      403   403       403   403          403         403           403          403     403           403          ok            401     401  403
sign-in                ok        ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     ok   403
sign-in-wrongly        401       401    401      401   401       401   401          401         401           401          401     401           401          401           401     401  403
sign-out               ok        ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            401     ok   403
password               401       403    403      403   403       403   403          403         403           403          403     403           403          403           401     401  403
password-by-session    -         ok     ok       ok    ok        ok    ok           ok          ok            ok           ok      ok            ok           ok            -       401  403
new-layer              401       403    403      403   403       403   403          403         403           403          ok      403           403          ok            401     401  403
change-layer           401       403    403      403   403       403   403          403         403           403          ok      403           403          ok            401     401  403
withdraw-layer         401       403    403      403   403       403   403          403         403           403          ok      403           403          ok            401     401  403
staff-document         404       404    404      404   404       404   ok           ok          ok            404          ok      ok            ok           ok            401     401  -
staff-options          404       404    404      404   404       404   ok           ok          ok            404          ok      ok            ok           ok            404     404  -
staff-list             404       404    404      404   404       404   ok           ok          ok            404          ok      ok            ok           ok            401     401  -
staff-row-published    404       404    404      404   404       404   ok           ok          ok            404          ok      ok            ok           ok            401     401  -
staff-row-absent       404       404    404      404   404       404   404          404         404           404          404     404           404          404           401     401  -
staff-list-known       404       404    404      404   404       404   ok           ok          ok            404          ok      ok            ok           ok            401     401  -
staff-download-known   404       404    404      404   404       404   ok           ok          ok            404          ok      ok            ok           ok            401     401  -
staff-known-published  404       404    404      404   404       404   ok           ok          ok            404          ok      ok            ok           ok            401     401  -
staff-known-absent     404       404    404      404   404       404   404          404         404           404          404     404           404          404           401     401  -
staff-create-published 401       404    404      404   404       404   ok           403         ok            404          ok      403           403          ok            401     401  403
staff-write-published  401       404    404      404   404       404   ok           403         ok            404          ok      403           403          ok            401     401  403
staff-move-published   401       404    404      404   404       404   403          403         ok            404          ok      403           403          ok            401     401  403
staff-write-absent-no-drafts 401 404    404      404   404       404   404          404         404           404          404     403           403          404           401     401  403
staff-change-layer     401       404    404      404   404       404   403          403         403           404          ok      403           403          ok            401     401  403
staff-withdraw-layer   401       404    404      404   404       404   403          403         403           404          ok      403           403          ok            401     401  403
staff-download         404       404    404      404   404       404   ok           ok          ok            404          ok      ok            ok           ok            401     401  -
staff-succeed-published 401      404    404      404   404       404   ok           403         ok            404          ok      403           403          ok            401     401  403
`

// operation is what one method does at one path: the kinds of its requests, and its
// status for success.
type operation struct {
	kinds string // names in rightsTable; * stands for each kind of row
	ok    int
	quiet []int // refusals that are not recorded: it is no write, or is recorded otherwise
}

// operations is every operation that is served, by method and path.
var operations = map[string]operation{
	"GET /": {kinds: "document", ok: 200}, "GET /conformance": {kinds: "document", ok: 200},
	"GET /openapi.json": {kinds: "document", ok: 200}, "GET /openapi-3.1.json": {kinds: "document", ok: 200}, "GET /openapi.html": {kinds: "document", ok: 200},
	"GET /collections": {kinds: "document", ok: 200}, "GET /collections/{collectionId}": {kinds: "document", ok: 200},
	"POST /collections": {kinds: "new-layer", ok: 201}, "PATCH /collections/{collectionId}": {kinds: "change-layer", ok: 204}, "DELETE /collections/{collectionId}": {kinds: "withdraw-layer", ok: 204},
	"GET /collections/{collectionId}/schema": {kinds: "document", ok: 200}, "GET /collections/{collectionId}/queryables": {kinds: "document", ok: 200},
	"GET /collections/{collectionId}/schema/feature":       {kinds: "document", ok: 200},
	"GET /collections/{collectionId}/sortables":            {kinds: "document", ok: 200},
	"GET /collections/{collectionId}/items":                {kinds: "list list-known", ok: 200},
	"GET /collections/{collectionId}/download":             {kinds: "download download-known", ok: 200},
	"POST /collections/{collectionId}/items":               {kinds: "create-*", ok: 201},
	"GET /collections/{collectionId}/items/{featureId}":    {kinds: "row-* known-*", ok: 200},
	"PUT /collections/{collectionId}/items/{featureId}":    {kinds: "write-* succeed-*", ok: 204},
	"PATCH /collections/{collectionId}/items/{featureId}":  {kinds: "write-* move-* give-* publish-* succeed-*", ok: 204},
	"DELETE /collections/{collectionId}/items/{featureId}": {kinds: "write-*", ok: 204},

	"GET /collections/{collectionId}/tiles": {kinds: "document", ok: 200}, "GET /collections/{collectionId}/tiles/WebMercatorQuad": {kinds: "document", ok: 200},
	"GET /collections/{collectionId}/tiles/WebMercatorQuad/tilejson":                         {kinds: "document", ok: 200},
	"GET /collections/{collectionId}/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}": {kinds: "document", ok: 200},
	"GET /tiles": {kinds: "document", ok: 200}, "GET /tiles/WebMercatorQuad": {kinds: "document", ok: 200}, "GET /tiles/WebMercatorQuad/tilejson": {kinds: "document", ok: 200},
	"GET /tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}": {kinds: "document", ok: 200},
	"GET /tileMatrixSets": {kinds: "document", ok: 200}, "GET /tileMatrixSets/WebMercatorQuad": {kinds: "document", ok: 200},
	"GET /styles": {kinds: "document", ok: 200}, "GET /styles/{styleId}": {kinds: "document", ok: 200},
	"GET /collections/{collectionId}/qgis.qml": {kinds: "document", ok: 200},
	"GET /qgis/connections.xml":                {kinds: "document", ok: 200}, "GET /qgis/vector-tiles.xml": {kinds: "document", ok: 200},

	"POST /placement-checks": {kinds: "check", ok: 200, quiet: []int{401, 403}}, "POST /cable-checks": {kinds: "cable", ok: 200, quiet: []int{401, 403}},
	"GET /placement-checks/network": {kinds: "document", ok: 200},
	"GET /indicators":               {kinds: "document", ok: 200}, "GET /provinces/{code}/indicators": {kinds: "document", ok: 200},
	"GET /districts/{code}/indicators": {kinds: "document", ok: 200}, "GET /communes/{code}/indicators": {kinds: "document", ok: 200},
	"GET /provinces/{code}/uncovered": {kinds: "document", ok: 200}, "GET /provinces/{code}/sharing-clusters": {kinds: "document", ok: 200},
	"GET /districts/{code}/uncovered": {kinds: "document", ok: 200}, "GET /districts/{code}/sharing-clusters": {kinds: "document", ok: 200},
	"GET /communes/{code}/uncovered": {kinds: "document", ok: 200}, "GET /communes/{code}/sharing-clusters": {kinds: "document", ok: 200},
	"GET /units/{code}/lineage": {kinds: "document", ok: 200},
	"GET /plan/indicators":      {kinds: "document", ok: 200}, "GET /plan/phases": {kinds: "document", ok: 200}, "GET /plan/projects": {kinds: "document", ok: 200},
	"GET /plan/reconciliation": {kinds: "document", ok: 200}, "GET /plan/tables/{table}": {kinds: "document", ok: 200},

	"GET /session": {kinds: "page", ok: 200}, "POST /session": {kinds: "sign-in sign-in-wrongly", ok: 201, quiet: []int{401}},
	"DELETE /session": {kinds: "sign-out", ok: 204, quiet: []int{401}}, "PUT /session/password": {kinds: "password", ok: 204},
	"PUT /session/notices": {kinds: "password", ok: 204},
	"GET /session/oidc":    {kinds: "not-offered"}, "GET /session/oidc/callback": {kinds: "not-offered"},
	"GET /keys": {kinds: "keys", ok: 200}, "POST /keys": {kinds: "key-own key-wider key-of-program", ok: 201},
	"DELETE /keys/{keyId}": {kinds: "revoke-others-key revoke-own-key", ok: 204},
	"GET /search":          {kinds: "search", ok: 200}, "GET /changes": {kinds: "history", ok: 200}, "POST /changes/reverts": {kinds: "revert", ok: 200},
	"GET /site-proposals": {kinds: "propose-sites", ok: 200}, "POST /site-proposals/mergers": {kinds: "merge-sites", ok: 200},
	"POST /site-proposals/splits": {kinds: "merge-sites", ok: 200}, "POST /site-proposals/refusals": {kinds: "merge-sites", ok: 204},
	"GET /consultations": {kinds: "consultations", ok: 200}, "POST /consultations": {kinds: "ask-of-draft ask-of-published", ok: 201},
	"GET /consultations/{consultationId}": {kinds: "consultation", ok: 200}, "PATCH /consultations/{consultationId}": {kinds: "answer withdraw", ok: 204},
	"GET /proposals": {kinds: "proposals", ok: 200}, "POST /proposals": {kinds: "file-proposal", ok: 201},
	"GET /proposals/drafts": {kinds: "drafts-to-file", ok: 200}, "GET /proposals/{proposalId}": {kinds: "proposal", ok: 200}, "POST /proposals/{proposalId}/decisions": {kinds: "refuse-proposal", ok: 200},
	"GET /proposals/{proposalId}/attachments": {kinds: "attachments", ok: 200}, "POST /proposals/{proposalId}/attachments": {kinds: "attach-file", ok: 201},
	"GET /proposals/{proposalId}/attachments/{attachmentId}": {kinds: "attachment-of-answer", ok: 200},
	"GET /sharing-requests":                                  {kinds: "sharings", ok: 200}, "POST /sharing-requests": {kinds: "ask-sharing", ok: 201}, "GET /sharing-requests/figures": {kinds: "document", ok: 200},
	"GET /sharing-requests/{sharingNumber}": {kinds: "sharing", ok: 200}, "POST /sharing-requests/{sharingNumber}/steps": {kinds: "decline-sharing", ok: 200},
	"GET /decisions": {kinds: "document", ok: 200}, "GET /decisions/{number}": {kinds: "document", ok: 200},
	"GET /calendar": {kinds: "document", ok: 200}, "POST /calendar": {kinds: "change-calendar", ok: 200},
	"GET /rule-sets": {kinds: "document", ok: 200}, "POST /rule-sets": {kinds: "draft-rules", ok: 201},
	"GET /rule-sets/{ruleSetId}/{version}": {kinds: "document rules-draft", ok: 200}, "PUT /rule-sets/{ruleSetId}/{version}": {kinds: "draft-rules", ok: 204},
	"DELETE /rule-sets/{ruleSetId}/{version}": {kinds: "draft-rules", ok: 204}, "GET /rule-sets/{ruleSetId}/{version}/differences": {kinds: "document rules-draft", ok: 200},
	"GET /rule-sets/{ruleSetId}/{version}/effects":      {kinds: "document rules-draft", ok: 200},
	"POST /rule-sets/{ruleSetId}/{version}/publication": {kinds: "rules-publish", ok: 204},
	"POST /verdicts": {kinds: "record-verdict", ok: 201}, "GET /verdicts/{verdictNumber}": {kinds: "verdict", ok: 200},
	"POST /verdicts/{verdictNumber}/replay": {kinds: "replay-verdict", ok: 200, quiet: []int{401, 403, 404}}, "GET /verdicts/{verdictNumber}/verification": {kinds: "document", ok: 200},
	"GET /signing-keys": {kinds: "document", ok: 200},
	"GET /imports":      {kinds: "imports", ok: 200}, "POST /imports": {kinds: "add-import", ok: 202},
	"GET /imports/{importId}": {kinds: "import", ok: 200}, "DELETE /imports/{importId}": {kinds: "cancel-import", ok: 204},
	"GET /imports/{importId}/corrections": {kinds: "import", ok: 200},
	"GET /mappings":                       {kinds: "mappings", ok: 200}, "POST /mappings": {kinds: "save-mapping", ok: 201},
	"GET /mappings/{mappingId}": {kinds: "mapping", ok: 200}, "PUT /mappings/{mappingId}": {kinds: "save-mapping", ok: 204}, "DELETE /mappings/{mappingId}": {kinds: "save-mapping", ok: 204},
	"GET /people": {kinds: "administer", ok: 200}, "POST /people": {kinds: "administer", ok: 201},
	"GET /people/{personId}": {kinds: "administer", ok: 200}, "PATCH /people/{personId}": {kinds: "administer", ok: 204},
	"POST /people/{personId}/grants":             {kinds: "administer", ok: 201},
	"DELETE /people/{personId}/grants/{grantId}": {kinds: "administer", ok: 204},
	"GET /organisations":                         {kinds: "document", ok: 200}, "POST /organisations": {kinds: "administer", ok: 201},
	"GET /publications": {kinds: "document", ok: 200}, "PUT /publications/{code}": {kinds: "administer", ok: 204},
	"GET /audit": {kinds: "administer", ok: 200}, "GET /notices": {kinds: "administer", ok: 200}, "POST /notices/{noticeId}/attempts": {kinds: "administer", ok: 204}, "GET /webhooks": {kinds: "administer", ok: 200},
	"PUT /webhooks/{organisation}": {kinds: "administer", ok: 200}, "DELETE /webhooks/{organisation}": {kinds: "administer", ok: 204},

	"GET /healthz": {kinds: "document", ok: 200}, "GET /readyz": {kinds: "document", ok: 200}, "GET /metrics": {kinds: "document", ok: 200},
	"GET (page)": {kinds: "page", ok: 200}, // it stands in no document
}

// statuses is rightsTable, read: the words by kind of request and client.
type statuses map[string]map[string]string

func readRights(t *testing.T) statuses {
	t.Helper()
	return readTable(t, rightsTable)
}

// readTable reads a table of words like rightsTable.
func readTable(t *testing.T, text string) statuses {
	t.Helper()
	rows := slices.Collect(strings.Lines(strings.TrimSpace(text)))
	columns := strings.Fields(rows[0])
	table := statuses{}
	for _, row := range rows[1:] {
		words := strings.Fields(row)
		if len(words) != len(columns) || table[words[0]] != nil {
			t.Fatalf("the table of rights has a bad row: %s", row)
		}
		table[words[0]] = map[string]string{}
		for i, column := range columns {
			table[words[0]][column] = words[i]
		}
	}
	return table
}

// status is the status that a word of the table means.
func status(word string, ok int) int {
	if word == "ok" {
		return ok
	}
	n, err := strconv.Atoi(word)
	if err != nil {
		return 0 // a dash: no status is right
	}
	return n
}

// servedOperations returns the methods and paths of the served document, those of each
// collection as one, and reports what it and the hand-written list lack of each other.
func servedOperations(t *testing.T, m *matrix) map[string][]string {
	t.Helper()
	a := send(m.server, http.MethodGet, "/api/v1/openapi.json", "", bearer(m.administrator)...)
	document, err := openapi3.NewLoader().LoadFromData(a.body)
	if err != nil {
		t.Fatalf("%s: %v", a.request, err)
	}
	served := map[string][]string{"GET (page)": {"/"}}
	for path, item := range document.Paths.Map() {
		template := path
		if rest, ok := strings.CutPrefix(path, "/collections/"); ok {
			_, below, _ := strings.Cut(rest, "/")
			template = strings.TrimSuffix("/collections/{collectionId}/"+below, "/")
		}
		address := "/api/v1" + strings.TrimSuffix(path, "/")
		if len(item.Servers) > 0 {
			address = path
		}
		for method := range item.Operations() {
			served[method+" "+template] = append(served[method+" "+template], address)
		}
	}
	for name := range served {
		if _, ok := operations[name]; !ok {
			t.Errorf("%s is served, and it is not decided who may: add it to operations", name)
		}
	}
	for name, op := range operations {
		if served[name] == nil {
			t.Errorf("%s stands in operations and is not served", name)
		}
		for kind := range strings.FieldsSeq(op.kinds) {
			if !strings.HasSuffix(kind, "*") && m.table[kind] == nil {
				t.Errorf("%s is of kind %s, which the table of rights lacks", name, kind)
			}
		}
	}
	return served
}

// TestRights tries every operation as every kind of client.
func TestRights(t *testing.T) {
	m := newMatrix(t)
	served := servedOperations(t, m)
	if t.Failed() {
		return
	}
	t.Run("every operation", func(t *testing.T) {
		got := m.try(m.server, m.principals, m.cells(served, nil), false)
		for _, difference := range got.differences {
			t.Error(difference)
		}
		t.Logf("%d cells: %d operations at %d paths, %d kinds of client", got.cells, len(served), m.paths(served), len(m.principals))
	})
	t.Run("faults are found", func(t *testing.T) { m.findsFaults(t, served) })
}
