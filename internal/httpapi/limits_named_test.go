package httpapi

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	contract "hatang/api"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/filter"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/papers"
	"hatang/internal/permit"
	"hatang/internal/tables"
	"hatang/internal/tiles"
)

// named are the limits as the document should have them.
func named() map[string]any {
	perSecondOf := func(r rate) float64 { return float64(time.Second) / float64(r.every) }
	ofRoles := map[string]any{}
	for role, may := range allowances {
		ofRoles[string(role)] = map[string]any{
			"writes_per_s": perSecondOf(may.writes), "writes_at_once": may.writes.burst, "json_body_bytes": may.bodyBytes,
			"large_bodies": may.bodies, "heavy_requests": may.heavy, "streams": may.streams, "tile_layers": may.tiles,
		}
	}
	return map[string]any{
		"request_line_bytes": maxAddressBytes, "header_bytes": maxHeaderBytes, "header_s": headerTime.Seconds(), "idle_s": idleTime.Seconds(),
		"json_body": map[string]any{"depth": maxDepth, "bytes_per_s": bodyPaceBytes / bodyPaceTime.Seconds(), "s": bodyTime.Seconds(),
			"large_bytes": smallBody, "large_at_a_time": maxBodies, "large_of_the_public": maxBodies - staffBodies},
		"proposals": map[string]any{"of_a_list": maxProposals, "answers_bytes": permit.MaxAnswersBytes}, "proposal_without_turn_bytes": lightBody,
		"nearest":                 map[string]any{"proposals": maxNearest, "within_m": zoning.MaxNearestM},
		"rows_against_each_other": map[string]any{"rows": permit.MaxEachOther, "bytes": permit.MaxEachOtherBytes},
		"cables":                  map[string]any{"proposals": permit.MaxCables, "positions": permit.MaxCablePositions, "degrees": permit.MaxCableDegrees},
		"filed":                   map[string]any{"features": permit.MaxFiled, "agencies": permit.MaxAgencies, "conditions": permit.MaxConditions},
		"attachments":             map[string]any{"bytes": permit.MaxAttachmentBytes, "files": permit.MaxAttachments, "all_bytes": permit.MaxAttachedBytes, "of_an_organisation_bytes": permit.MaxOrganisationBytes},
		"sharing":                 map[string]any{"partners": permit.MaxPartners, "technologies": permit.MaxTechnologies, "figure": permit.MaxShared},
		"calendar":                map[string]any{"days": permit.MaxCalendarDays},
		"sites":                   map[string]any{"of_one_mast": mostSites, "proposals": mostProposed, "distance_m": farthestMastsM},
		"rows": map[string]any{"row_bytes": permit.MaxRowBytes, "bytes_per_minute": paceBytes / paceTime.Minutes(),
			"streams_at_a_time": maxStreams, "streams_of_the_public": maxStreams - staffStreams},
		"uploads": map[string]any{"bytes": maxUploadBytes, "s": uploadTime.Seconds(), "at_a_time": maxUploads, "of_a_client": ownUploads},
		"imports": map[string]any{"of_a_user": OwnImports, "of_a_server": ServerImports, "remembered_of_a_user": layer.KeptImports, "faults": MaxFileFaults, "features": MaxFileFeatures,
			"corrections": map[string]any{"rows": layer.MostCorrections, "bytes": layer.MostCorrectionsBytes}},
		"page_features": layer.MaxPage, "answer_held_bytes": maxComplete, "files_kept": map[string]any{"bytes": int64(madeBytes), "s": madeKept.Seconds()},
		"filter": map[string]any{"text_bytes": filter.MaxTextBytes, "json_bytes": filter.MaxJSONBytes, "depth": filter.MaxDepth,
			"parts": filter.MaxNodes, "vertices": filter.MaxVertices, "values_behind_in": filter.MaxList},
		"feature":        map[string]any{"vertices": formats.MaxVertices, "bytes_in_a_file": tables.MaxRowBytes},
		"papers":         map[string]any{"rows": papers.MaxRows, "text_characters": papers.MaxTextRunes, "code_bytes": papers.MaxQR},
		"excel":          map[string]any{"rows": formats.MaxExcelRows, "cell_characters": formats.MaxExcelCharacters},
		"shapefile":      map[string]any{"file_bytes": formats.MaxShapefileBytes, "text_bytes": formats.MaxShapefileText},
		"tile_layer":     map[string]any{"bytes": tiles.MaxBytes, "features": tiles.MaxFeatures},
		"work":           map[string]any{"s": requestTime.Seconds(), "report_s": reportTime.Seconds()},
		"heavy_requests": map[string]any{"for_each_core": newLimits(1, 0, nil).heavy.most, "waiting": maxQueued},
		"tile_layers":    map[string]any{"for_each_core": newLimits(1, 0, nil).tiles.most, "waiting": maxTilesQueued},
		"bad_keys":       map[string]any{"per_s": perSecondOf(badKeyRate), "at_once": badKeyRate.burst},
		"sign_in_failures": map[string]any{"s": account.FailureSpan.Seconds(), "of_an_account_from_a_network": account.FailuresOfPair,
			"of_a_network": account.FailuresOfNetwork, "of_an_account": account.FailuresOfAccount},
		"strange_sign_ins":         map[string]any{"for_two_cores": newSignIns(2).strangers.most, "waiting": maxStrangers, "of_an_address": ownStrangers, "wait_for_those_at_home_s": yieldTime.Seconds()},
		"turned_away":              map[string]any{"at_a_time": maxTurnedAway, "s": turnedAwayTime.Seconds()},
		"refusals_of_nobody_known": map[string]any{"s": refusalSpan.Seconds(), "networks": maxRefusalNetworks, "bits_of_ipv4": refusalBits4, "bits_of_ipv6": refusalBits6},
		"audit_entries":            mostEntries,
		"roles":                    ofRoles,
	}
}

// Every limit that is kept here is named in the API's own description, as it is.
func TestLimitsAreNamed(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	said, ok := doc.Extensions["x-limits"].(map[string]any)
	if !ok {
		t.Fatalf("x-limits is %T", doc.Extensions["x-limits"])
	}
	delete(said, "database") // compared where they are kept
	delete(said, "server")
	delete(said, "files_read")
	if d := cmp.Diff(plain(t, named()), plain(t, said)); d != "" {
		t.Errorf("-kept +named:\n%s", d)
	}
}

// plain is a value as JSON has it.
func plain(t *testing.T, v any) (out any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
