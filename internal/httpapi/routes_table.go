package httpapi

import (
	"net/http"
	"slices"
)

// routes is the whole address space but for the page, which has what is left.
func (a *api) routes() []route {
	return slices.Concat(a.documentRoutes(), a.featureRoutes(), a.tileRoutes(), a.planningRoutes(), a.accountRoutes(), a.permitRoutes(), a.importRoutes(), a.probeRoutes())
}

const (
	collection = root + "/collections/{collectionId}"
	items      = collection + "/items"
	item       = items + "/{featureId}"
	ruleSet    = root + "/rule-sets/{ruleSetId}/{version}"
)

// documentRoutes are what the API says of itself.
func (a *api) documentRoutes() []route {
	return []route{
		{method: http.MethodGet, pattern: root, handle: a.landing, produces: jsonPages, page: "landing", query: pageQuery},
		{method: http.MethodGet, pattern: root + "/conformance", handle: a.conformance, produces: jsonPages, page: "conformance", query: pageQuery},
		{method: http.MethodGet, pattern: root + "/openapi.json", handle: a.openapi30, produces: json30, query: format, layers: true},
		{method: http.MethodGet, pattern: root + "/openapi-3.1.json", handle: a.openapi31, produces: json30, query: format, layers: true},
		{method: http.MethodGet, pattern: root + "/openapi.html", handle: a.openapiHTML, produces: []string{typeHTML}, page: "openapi", query: []string{"lang"}, layers: true},
	}
}

// featureRoutes are collections and their features.
func (a *api) featureRoutes() []route {
	return []route{
		{method: http.MethodGet, pattern: root + "/collections", handle: a.collections, produces: jsonPages, page: "collections", query: pageQuery, layers: true},
		{method: http.MethodPost, pattern: root + "/collections", handle: a.publishLayer, produces: jsonType, consumes: importTypes, query: publishQuery(), needs: publishing, layers: true, upload: true},
		{method: http.MethodGet, pattern: collection, handle: a.collection, produces: jsonPages, page: "collection", query: pageQuery},
		{method: http.MethodPatch, pattern: collection, handle: a.changeLayer, consumes: mergeTypes, query: noQuery, needs: publishing},
		{method: http.MethodDelete, pattern: collection, handle: a.withdrawLayer, query: noQuery, needs: publishing},
		{method: http.MethodGet, pattern: collection + "/schema", handle: a.schema, produces: schemaPages, page: "schema", query: pageQuery},
		{method: http.MethodGet, pattern: collection + "/schema/feature", handle: a.featureSchema, produces: []string{typeSchema, typeJSON}, query: []string{"lang"}},
		{method: http.MethodGet, pattern: collection + "/queryables", handle: a.queryables, produces: schemaPages, page: "schema", query: pageQuery},
		{method: http.MethodGet, pattern: collection + "/sortables", handle: a.sortables, produces: schemaPages, page: "schema", query: pageQuery},
		{method: http.MethodGet, pattern: items, handle: a.listFeatures, produces: slices.Concat(featureTypesOut(), []string{typeHTML}), page: "items", long: true},
		{method: http.MethodGet, pattern: collection + "/download", handle: a.downloadFeatures, produces: featureTypesOut(), heavy: true},
		{method: http.MethodPost, pattern: items, handle: a.createFeature, consumes: featureTypes, query: noQuery, needs: pen},
		{method: http.MethodGet, pattern: item, handle: a.getFeature, produces: featurePages, page: "item", query: []string{"crs", knownAtName, "properties", "skipGeometry", "f", "lang"}},
		{method: http.MethodPut, pattern: item, handle: a.replaceFeature, consumes: featureTypes, query: inForce, needs: pen},
		{method: http.MethodPatch, pattern: item, handle: a.patchFeature, consumes: patchTypes, query: inForce, needs: pen},
		{method: http.MethodDelete, pattern: item, handle: a.deleteFeature, query: noQuery, needs: pen},
	}
}

// tileRoutes are tiles, styles and what QGIS reads.
func (a *api) tileRoutes() []route {
	return []route{
		{method: http.MethodGet, pattern: collection + "/tiles", handle: tilesOf(a.ofCollection, a.listTilesets), produces: jsonPages},
		{method: http.MethodGet, pattern: collection + mercator, handle: tilesOf(a.ofCollection, a.showTileset), produces: jsonPages},
		{method: http.MethodGet, pattern: collection + mercator + "/tilejson", handle: tilesOf(a.ofCollection, a.showTileJSON), produces: jsonPages},
		{method: http.MethodGet, pattern: collection + mercator + tileAddress, handle: a.collectionTile, produces: tileTypes},
		{method: http.MethodGet, pattern: root + "/tiles", handle: tilesOf(a.ofSeveral, a.listTilesets), produces: jsonPages, query: append(severalParameters(), pageQuery...), layers: true},
		{method: http.MethodGet, pattern: root + mercator, handle: tilesOf(a.ofSeveral, a.showTileset), produces: jsonPages, query: append(severalParameters(), pageQuery...), layers: true},
		{method: http.MethodGet, pattern: root + mercator + "/tilejson", handle: tilesOf(a.ofSeveral, a.showTileJSON), produces: jsonPages, query: append(severalParameters(), pageQuery...), layers: true},
		{method: http.MethodGet, pattern: root + mercator + tileAddress, handle: a.tile, produces: tileTypes, query: severalParameters(), layers: true},
		{method: http.MethodGet, pattern: root + "/tileMatrixSets", handle: a.tileMatrixSets, produces: jsonPages, query: pageQuery},
		{method: http.MethodGet, pattern: root + "/tileMatrixSets/WebMercatorQuad", handle: a.tileMatrixSet, produces: jsonPages, query: pageQuery},
		{method: http.MethodGet, pattern: collection + "/qgis.qml", handle: a.qgisStyle, produces: []string{typeQML, typeXML}, query: noQuery},
		{method: http.MethodGet, pattern: root + "/qgis/connections.xml", handle: a.qgisFeatures, produces: xmlTypes, query: noQuery},
		{method: http.MethodGet, pattern: root + "/qgis/vector-tiles.xml", handle: a.qgisTiles, produces: xmlTypes, query: noQuery},
		{method: http.MethodGet, pattern: root + "/styles", handle: a.styles, produces: jsonPages, query: pageQuery, layers: true},
		{method: http.MethodGet, pattern: root + "/styles/{styleId}", handle: a.style, produces: stylePages, query: pageQuery, layers: true},
	}
}

// planningRoutes are search, history, checks, figures and the plan.
func (a *api) planningRoutes() []route {
	return []route{
		{method: http.MethodGet, pattern: root + "/search", handle: a.search, produces: jsonPages, query: searchQuery(), layers: true},
		{method: http.MethodGet, pattern: root + "/changes", handle: a.listChanges, produces: jsonPages, query: changesQuery(), needs: remembering, layers: true},
		{method: http.MethodPost, pattern: root + "/changes/reverts", handle: a.revertChanges, produces: jsonType, consumes: jsonType, query: []string{"dry_run"}, needs: reverting, layers: true, heavy: true},

		{method: http.MethodPost, pattern: root + "/placement-checks", handle: a.placementChecks, produces: checkTypes, consumes: checkTypes, query: []string{againstName, "detail", knownAtName, nearestName}, asks: true},
		{method: http.MethodGet, pattern: root + "/placement-checks/network", handle: a.network, produces: networkTypes(), formats: networkNames(), query: []string{"date", "f", knownAtName, "operator"}, heavy: true},
		{method: http.MethodPost, pattern: root + "/cable-checks", handle: a.cableChecks, produces: jsonType, consumes: jsonType, query: []string{knownAtName}, asks: true, heavy: true},

		{method: http.MethodGet, pattern: root + "/indicators", handle: a.allIndicators, produces: jsonType, query: []string{"date", "f", "level"}, heavy: true},
		{method: http.MethodGet, pattern: root + "/provinces/{code}/indicators", handle: a.unitIndicators("province"), produces: jsonType, query: []string{"date", "f"}, heavy: true},
		{method: http.MethodGet, pattern: root + "/districts/{code}/indicators", handle: a.unitIndicators("district"), produces: jsonType, query: []string{"date", "f"}, heavy: true},
		{method: http.MethodGet, pattern: root + "/communes/{code}/indicators", handle: a.unitIndicators("commune"), produces: jsonType, query: []string{"date", "f"}, heavy: true},

		{method: http.MethodGet, pattern: root + "/provinces/{code}/uncovered", handle: a.uncovered("province"), produces: featureTypes, query: uncoveredQuery(), heavy: true},
		{method: http.MethodGet, pattern: root + "/districts/{code}/uncovered", handle: a.uncovered("district"), produces: featureTypes, query: uncoveredQuery(), heavy: true},
		{method: http.MethodGet, pattern: root + "/communes/{code}/uncovered", handle: a.uncovered("commune"), produces: featureTypes, query: uncoveredQuery(), heavy: true},

		{method: http.MethodGet, pattern: root + "/provinces/{code}/sharing-clusters", handle: a.sharingClusters("province"), produces: featureTypes, query: clustersQuery(), heavy: true},
		{method: http.MethodGet, pattern: root + "/districts/{code}/sharing-clusters", handle: a.sharingClusters("district"), produces: featureTypes, query: clustersQuery(), heavy: true},
		{method: http.MethodGet, pattern: root + "/communes/{code}/sharing-clusters", handle: a.sharingClusters("commune"), produces: featureTypes, query: clustersQuery(), heavy: true},

		{method: http.MethodGet, pattern: root + "/units/{code}/lineage", handle: a.showLineage, produces: jsonType, query: []string{"date", "f", "level"}},

		{method: http.MethodGet, pattern: root + "/plan/indicators", handle: a.planDocument("indicators"), produces: jsonType, query: planQuery(), heavy: true},
		{method: http.MethodGet, pattern: root + "/plan/phases", handle: a.planDocument("phases"), produces: jsonType, query: planQuery(), heavy: true},
		{method: http.MethodGet, pattern: root + "/plan/projects", handle: a.planDocument("projects"), produces: jsonType, query: planQuery(), heavy: true},
		{method: http.MethodGet, pattern: root + "/plan/reconciliation", handle: a.planDocument("reconciliation"), produces: jsonType, query: planQuery(), heavy: true},
		{method: http.MethodGet, pattern: root + "/plan/tables/{table}", handle: a.planTable, produces: jsonType, query: planQuery(), heavy: true},
	}
}

// accountRoutes are people, keys, settings and the audit.
func (a *api) accountRoutes() []route {
	return []route{
		{method: http.MethodGet, pattern: root + "/session", handle: a.showSession, produces: jsonType, query: noQuery, lenient: true},
		{method: http.MethodPost, pattern: root + "/session", handle: a.signIn, produces: jsonType, consumes: jsonType, query: noQuery, lenient: true},
		{method: http.MethodDelete, pattern: root + "/session", handle: a.signOut, query: noQuery, lenient: true},
		{method: http.MethodPut, pattern: root + "/session/password", handle: a.changePassword, consumes: jsonType, query: noQuery, needs: identity},
		{method: http.MethodPut, pattern: root + "/session/notices", handle: a.changeNotices, consumes: jsonType, query: noQuery, needs: identity},
		{method: http.MethodGet, pattern: root + "/session/oidc", handle: a.startOIDC, query: []string{"return"}, lenient: true},
		{method: http.MethodGet, pattern: root + "/session/oidc/callback", handle: a.finishOIDC, lenient: true},

		{method: http.MethodGet, pattern: root + "/keys", handle: a.listKeys, produces: jsonType, query: noQuery, needs: identity},
		{method: http.MethodPost, pattern: root + "/keys", handle: a.addKey, produces: jsonType, consumes: jsonType, query: noQuery, needs: identity},
		{method: http.MethodDelete, pattern: root + "/keys/{keyId}", handle: a.revokeKey, query: noQuery, needs: identity},

		{method: http.MethodGet, pattern: root + "/people", handle: a.listPeople, produces: jsonType, query: noQuery, needs: administering},
		{method: http.MethodPost, pattern: root + "/people", handle: a.addPerson, produces: jsonType, consumes: jsonType, query: noQuery, needs: administering},
		{method: http.MethodGet, pattern: root + "/people/{personId}", handle: a.showPerson, produces: jsonType, query: noQuery, needs: administering},
		{method: http.MethodPatch, pattern: root + "/people/{personId}", handle: a.changePerson, consumes: mergeTypes, query: noQuery, needs: administering},
		{method: http.MethodPost, pattern: root + "/people/{personId}/grants", handle: a.addGrant, produces: jsonType, consumes: jsonType, query: noQuery, needs: administering},
		{method: http.MethodDelete, pattern: root + "/people/{personId}/grants/{grantId}", handle: a.withdrawGrant, query: noQuery, needs: administering},

		{method: http.MethodGet, pattern: root + "/organisations", handle: a.listOrganisations, produces: jsonType, query: format},
		{method: http.MethodPost, pattern: root + "/organisations", handle: a.addOrganisation, produces: jsonType, consumes: jsonType, query: noQuery, needs: administering},
		{method: http.MethodGet, pattern: root + "/webhooks", handle: a.listWebhooks, produces: jsonType, query: noQuery, needs: administering},
		{method: http.MethodPut, pattern: root + "/webhooks/{organisation}", handle: a.setWebhook, produces: jsonType, consumes: jsonType, query: noQuery, needs: administering},
		{method: http.MethodDelete, pattern: root + "/webhooks/{organisation}", handle: a.removeWebhook, query: noQuery, needs: administering},
		{method: http.MethodGet, pattern: root + "/notices", handle: a.listNotices, produces: jsonType, query: []string{"after", "limit", "state"}, needs: administering},
		{method: http.MethodPost, pattern: root + "/notices/{noticeId}/attempts", handle: a.sendNoticeAgain, query: noQuery, needs: administering},
		{method: http.MethodGet, pattern: root + "/publications", handle: a.listPublications, produces: jsonType, query: format},
		{method: http.MethodPut, pattern: root + "/publications/{code}", handle: a.setPublication, consumes: jsonType, query: noQuery, needs: administering},
		{method: http.MethodGet, pattern: root + "/audit", handle: a.showAudit, produces: jsonType, query: []string{"below", "limit"}, needs: administering},
	}
}

// permitRoutes are consultations, proposals, recorded verdicts and rule sets.
func (a *api) permitRoutes() []route {
	return []route{
		{method: http.MethodGet, pattern: root + "/consultations", handle: a.listConsultations, produces: jsonType, query: []string{"after", "collection", "limit", "state"}, needs: identity},
		{method: http.MethodPost, pattern: root + "/consultations", handle: a.askAgency, produces: jsonType, consumes: jsonType, query: noQuery, needs: asking},
		{method: http.MethodGet, pattern: root + "/consultations/{consultationId}", handle: a.showConsultation, produces: jsonType, query: noQuery, needs: identity},
		{method: http.MethodPatch, pattern: root + "/consultations/{consultationId}", handle: a.changeConsultation, consumes: mergeTypes, query: noQuery, needs: identity},

		{method: http.MethodGet, pattern: root + "/proposals", handle: a.listProposals, produces: jsonType, query: proposalsQuery(), needs: identity},
		{method: http.MethodPost, pattern: root + "/proposals", handle: a.fileProposal, produces: jsonType, consumes: jsonType, query: noQuery, needs: filing},
		{method: http.MethodGet, pattern: root + draftsPath, handle: a.listDrafts, produces: jsonType, query: []string{"after", "limit"}, needs: filing},
		{method: http.MethodGet, pattern: root + "/proposals/{proposalId}", handle: a.showProposal, produces: jsonType, query: noQuery, needs: identity},
		{method: http.MethodPost, pattern: root + "/proposals/{proposalId}/decisions", handle: a.decideProposal, produces: jsonType, consumes: jsonType, query: noQuery, needs: identity},
		{method: http.MethodGet, pattern: root + "/proposals/{proposalId}/attachments", handle: a.listAttachments, produces: jsonType, query: noQuery, needs: identity},
		{method: http.MethodPost, pattern: root + "/proposals/{proposalId}/attachments", handle: a.attachFile, produces: jsonType, consumes: attachmentTypes, query: []string{"agency", "name"}, needs: identity, upload: true},
		{method: http.MethodGet, pattern: root + "/proposals/{proposalId}/attachments/{attachmentId}", handle: a.sendAttachment, query: noQuery, needs: identity},
		{method: http.MethodGet, pattern: root + "/decisions", handle: a.listDecisions, produces: jsonPages, page: "decisions", query: []string{"after", "collection", "f", "feature", "lang", "limit", "organisation", "outcome", "year"}, layers: true},
		{method: http.MethodGet, pattern: root + "/decisions/{number}", handle: a.showDecision, produces: paperTypes, formats: paperFormats, query: pageQuery, layers: true},

		{method: http.MethodGet, pattern: root + sharingPath, handle: a.listSharing, produces: jsonType, query: sharingQuery(), needs: identity},
		{method: http.MethodPost, pattern: root + sharingPath, handle: a.askToShare, produces: jsonType, consumes: jsonType, query: noQuery, needs: filing},
		{method: http.MethodGet, pattern: root + sharingPath + "/figures", handle: a.sharingFigures, produces: jsonPages, page: "sharing", query: pageQuery},
		{method: http.MethodGet, pattern: root + sharingPath + "/{sharingNumber}", handle: a.showSharing, produces: jsonType, query: noQuery, needs: identity},
		{method: http.MethodPost, pattern: root + sharingPath + "/{sharingNumber}/steps", handle: a.decideSharing, produces: jsonType, consumes: jsonType, query: noQuery, needs: identity},

		{method: http.MethodGet, pattern: root + "/calendar", handle: a.showCalendar, produces: jsonType, query: []string{"from", "jurisdiction", "to"}},
		{method: http.MethodPost, pattern: root + "/calendar", handle: a.changeCalendar, produces: jsonType, consumes: []string{typeJSON, typeCSV}, query: []string{"jurisdiction", "source"}, needs: drafting},

		{method: http.MethodGet, pattern: root + "/rule-sets", handle: a.listRuleSets, produces: jsonType, query: []string{"date", "id", "jurisdiction", "state"}},
		{method: http.MethodPost, pattern: root + "/rule-sets", handle: a.draftRules, produces: jsonType, consumes: jsonType, query: []string{"jurisdiction"}, needs: drafting},
		{method: http.MethodGet, pattern: ruleSet, handle: a.showRules, produces: jsonType, query: noQuery},
		{method: http.MethodPut, pattern: ruleSet, handle: a.changeRules, consumes: jsonType, query: noQuery, needs: drafting},
		{method: http.MethodDelete, pattern: ruleSet, handle: a.dropRules, query: noQuery, needs: drafting},
		{method: http.MethodGet, pattern: ruleSet + "/differences", handle: a.compareRules, produces: jsonType, query: []string{"from"}},
		{method: http.MethodGet, pattern: ruleSet + "/effects", handle: a.rulesEffects, produces: jsonType, query: []string{"date", "from"}, heavy: true},
		{method: http.MethodPost, pattern: ruleSet + "/publication", handle: a.publishRules, query: noQuery, needs: drafting},

		{method: http.MethodPost, pattern: root + "/verdicts", handle: a.recordVerdict, produces: jsonType, consumes: jsonType, query: noQuery, needs: identity, heavy: true},
		{method: http.MethodGet, pattern: root + "/verdicts/{verdictNumber}", handle: a.showVerdict, produces: paperTypes, formats: paperFormats, query: pageQuery, needs: identity, layers: true},
		{method: http.MethodGet, pattern: root + "/verdicts/{verdictNumber}/verification", handle: a.verifyVerdict, produces: jsonPages, page: "verification", query: []string{"code", "f", "lang"}},
		{method: http.MethodPost, pattern: root + "/verdicts/{verdictNumber}/replay", handle: a.replayVerdict, produces: jsonType, query: noQuery, needs: identity, asks: true, heavy: true},
		{method: http.MethodGet, pattern: root + "/signing-keys", handle: a.showSigningKeys, produces: jsonType, query: noQuery},
	}
}

// importRoutes are imports and sites in common.
func (a *api) importRoutes() []route {
	return []route{
		{method: http.MethodGet, pattern: root + "/imports", handle: a.listImports, produces: jsonType, query: []string{"after", "limit"}, needs: identity},
		{method: http.MethodPost, pattern: root + "/imports", handle: a.addImport, produces: jsonType, consumes: importTypes, query: importQuery(), needs: identity, layers: true, upload: true},
		{method: http.MethodGet, pattern: root + "/imports/{importId}", handle: a.showImport, produces: jsonType, query: noQuery, needs: identity},
		{method: http.MethodDelete, pattern: root + "/imports/{importId}", handle: a.cancelImport, query: noQuery, needs: identity},
		{method: http.MethodGet, pattern: root + "/imports/{importId}/corrections", handle: a.sendCorrections, produces: correctionTypes, formats: correctionFormats, query: pageQuery, needs: identity},

		{method: http.MethodGet, pattern: root + "/mappings", handle: a.listMappings, produces: jsonType, query: []string{"after", "collection", "limit"}, needs: identity, layers: true},
		{method: http.MethodPost, pattern: root + "/mappings", handle: a.addMapping, produces: jsonType, consumes: jsonType, query: noQuery, needs: reverting, layers: true},
		{method: http.MethodGet, pattern: root + "/mappings/{mappingId}", handle: a.showMapping, produces: jsonType, query: noQuery, needs: identity, layers: true},
		{method: http.MethodPut, pattern: root + "/mappings/{mappingId}", handle: a.changeMapping, consumes: jsonType, query: noQuery, needs: reverting, layers: true},
		{method: http.MethodDelete, pattern: root + "/mappings/{mappingId}", handle: a.removeMapping, query: noQuery, needs: reverting, layers: true},

		{method: http.MethodGet, pattern: root + "/site-proposals", handle: a.proposeSites, produces: jsonType, query: []string{"distance", "f"}, needs: reverting, heavy: true},
		{method: http.MethodPost, pattern: root + "/site-proposals/mergers", handle: a.mergeSites, produces: jsonType, consumes: jsonType, query: []string{"dry_run"}, needs: reverting},
		{method: http.MethodPost, pattern: root + "/site-proposals/splits", handle: a.splitSite, produces: jsonType, consumes: jsonType, query: []string{"dry_run"}, needs: reverting},
		{method: http.MethodPost, pattern: root + "/site-proposals/refusals", handle: a.keepApart, consumes: jsonType, query: noQuery, needs: reverting},
	}
}

// probeRoutes are probes.
func (a *api) probeRoutes() []route {
	return []route{
		{method: http.MethodGet, pattern: "/healthz", handle: a.healthz, produces: probeTypes, query: noQuery},
		{method: http.MethodGet, pattern: "/readyz", handle: a.readyz, produces: probeTypes, query: noQuery},
		{method: http.MethodGet, pattern: "/metrics", handle: a.showMetrics, query: noQuery},
	}
}
