package httpapi

import "hatang/internal/account"

// allowance is what one client may have under way, send and change. What is the same for
// all is beside its code and, with this table, in x-limits of api/openapi.yaml.
type allowance struct {
	writes    rate  // changes; of the public, whatever else than reading and asking
	bodyBytes int64 // of a JSON body
	bodies    int   // large ones in memory
	heavy     int   // heavy requests that work and wait
	streams   int   // streams of rows
	tiles     int   // layers of tiles that are drawn and wait
}

// allowances are by the highest role of the client. The public may send 10 000 proposals
// with all that they can say; reads of the public are limited by Config.PublicRate.
var allowances = map[account.Role]allowance{
	account.Public:        {writes: perSecond(1, 30), bodyBytes: 4 << 20, bodies: 2, heavy: 16, streams: 2, tiles: 512},
	account.Operator:      {writes: perSecond(200, 2000), bodyBytes: 10 << 20, bodies: 2, heavy: 16, streams: 2, tiles: 512},
	account.Consulted:     {writes: perSecond(200, 2000), bodyBytes: 10 << 20, bodies: 2, heavy: 16, streams: 2, tiles: 512},
	account.Officer:       {writes: perSecond(500, 2000), bodyBytes: 10 << 20, bodies: 4, heavy: 32, streams: 4, tiles: 1024},
	account.Approver:      {writes: perSecond(500, 2000), bodyBytes: 10 << 20, bodies: 4, heavy: 32, streams: 4, tiles: 1024},
	account.Administrator: {writes: perSecond(500, 2000), bodyBytes: 10 << 20, bodies: 4, heavy: 32, streams: 4, tiles: 1024},
}

// allowanceOf returns what the viewer may. Somebody who is known and has no role, such as
// a person whose grants were all withdrawn, is counted with those who have least.
func allowanceOf(v account.Viewer) allowance {
	role := v.Rank()
	if role == account.Public && v.Known() {
		role = account.Consulted
	}
	return allowances[role]
}

// Limits of all clients together. A lane of heavy requests has a turn for every core, and
// there are two, of the public and of staff.
const (
	maxQueued      = 64   // heavy requests that wait in a lane; further ones are 503 at once
	maxTilesQueued = 1024 // layers of tiles that wait in a lane
	maxStreams     = 8    // streams of rows at a time; further ones are 503 at once
	staffStreams   = 2    // of these, for staff alone
	maxBodies      = 16   // large bodies at a time
	staffBodies    = 4    // of these, for staff alone
)
