package httpapi

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Store reads and writes the register. Every method shows and changes only what
// the viewer may see and edit, and returns the errors of package layer:
// ErrNotFound, ErrConflict, ErrStale, ErrUnavailable, ErrTimeout, *InvalidError.
type Store interface {
	Units
	// Features calls each for the rows that q selects, in its order. A row is valid
	// until each returns; an error of each ends the reading and is returned.
	Features(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, each func(*layer.Row) error) error
	// TileRows calls each for the rows that q selects and whose box meets the lon/lat box,
	// in no order, with the values of the fields alone; as Features otherwise.
	TileRows(ctx context.Context, v account.Viewer, l *layer.Layer, box orb.Bound, q layer.Query, fields []*layer.Field, each func(*layer.Row) error) error
	// CountFeatures counts what q selects, its After and Limit left aside.
	CountFeatures(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query) (int64, error)
	// CountWithin is CountFeatures that gives up after so long; then it returns false.
	CountWithin(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, within time.Duration) (int64, bool, error)
	// HasMore reports whether q selects more than n rows, its After and Limit left aside,
	// at the cost of so many rows.
	HasMore(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, n int) (bool, error)
	// Feature returns one row whatever its dates; ErrNotFound.
	Feature(ctx context.Context, v account.Viewer, l *layer.Layer, id int64) (*layer.Row, error)
	// FeatureAmongVersions is Feature with the ids of all rows of its code, by valid_from.
	FeatureAmongVersions(ctx context.Context, v account.Viewer, l *layer.Layer, id int64) (row *layer.Row, versions []int64, err error)
	// Extent returns the lon/lat box of the rows in force on the date and the valid
	// time of all rows; false when the viewer sees none.
	Extent(ctx context.Context, v account.Viewer, l *layer.Layer, date geo.Date) (orb.Bound, geo.Period, bool, error)
	// LayerVersions returns the version number of every layer: how often rows changed
	// that the viewer sees.
	LayerVersions(ctx context.Context, v account.Viewer) (layer.Versions, error)
	// CreateFeature adds a row; ErrConflict where the code is in force already.
	CreateFeature(ctx context.Context, v account.Viewer, l *layer.Layer, f layer.Feature) (id int64, err error)
	// UpdateFeature corrects a row, as a whole (replace) or only in the properties
	// given. A revision other than 0 must be the row's: else ErrStale.
	UpdateFeature(ctx context.Context, v account.Viewer, l *layer.Layer, id int64, f layer.Feature, ifRevision int64, replace bool) (revision int64, err error)
	// SucceedFeature closes a row on a date within its valid time and opens the next one,
	// made of the whole feature (replace) or of the row with the feature laid over it;
	// ifRevision as in UpdateFeature.
	SucceedFeature(ctx context.Context, v account.Viewer, l *layer.Layer, id int64, f layer.Feature, ifRevision int64, replace bool, date geo.Date) (next int64, err error)
	// DeleteFeature removes a row; ifRevision as in UpdateFeature.
	DeleteFeature(ctx context.Context, v account.Viewer, l *layer.Layer, id int64, ifRevision int64) error
	// Search returns the features that are called by a text as the viewer sees them, best
	// first, and whether there are more.
	Search(ctx context.Context, v account.Viewer, q layer.SearchQuery) (hits []layer.Hit, more bool, err error)
	// History hands over the changes that q selects, the newest first. A change is the
	// reader's; an error of each ends the reading and is returned.
	History(ctx context.Context, v account.Viewer, q layer.HistoryQuery, each func(*layer.Change) error) error
	// Revert takes back the changes that q selects, but for its Code, Boxes, Older and Limit;
	// with dryRun it finds out what would be done. ErrNotFound where nothing is selected,
	// ErrForbidden, ErrConflict, *layer.OvertakenError.
	Revert(ctx context.Context, v account.Viewer, q layer.HistoryQuery, dryRun bool) (layer.Reverted, error)
	// Ready returns nil when requests can be answered now.
	Ready(ctx context.Context) error
}

// Identities know who has a secret.
type Identities interface {
	// KeyViewer returns whose key it is; ErrNotFound for one unknown, expired or revoked.
	KeyViewer(ctx context.Context, key string) (account.Viewer, error)
	// SessionViewer returns who is signed in; ErrNotFound for a session that is over.
	SessionViewer(ctx context.Context, token string) (account.Session, error)
}

// Accounts are people, organisations, keys and what they may do. Its methods refuse
// with ErrForbidden what the viewer may not, whatever was checked before.
type Accounts interface {
	Consultations
	Proposals
	Attachments
	Notices
	Sharing
	Calendars
	Verdicts
	Headings
	Identities
	// Credentials returns what a sign-in from a network is checked against: nothing for an
	// unknown login.
	Credentials(ctx context.Context, login, network string) (account.Credentials, error)
	// Homes returns accounts and networks in which they have signed in within some time, the
	// latest first, so many at most.
	Homes(ctx context.Context, within time.Duration, most int) ([]account.Attempt, error)
	// BeginSignIn counts an attempt before its password is looked at, and returns its number;
	// where it is refused instead, why and for how long at most the next is.
	BeginSignIn(ctx context.Context, a account.Attempt) (attempt int64, refused account.Refusal, err error)
	// EndSignIn takes an attempt out of the count: one that succeeded, or whose password was
	// not looked at.
	EndSignIn(ctx context.Context, attempt int64, succeeded bool) error
	// StartSession signs a person in; ErrNotFound for one who is disabled, or whose
	// password is another by now.
	StartSession(ctx context.Context, n account.NewSession) error
	EndSession(ctx context.Context, v account.Viewer, token string) error
	// PersonOfIdentity returns the person who is the subject to an OpenID Connect issuer,
	// found the first time by an address that the issuer has verified; ErrNotFound.
	PersonOfIdentity(ctx context.Context, issuer, subject, verifiedEmail string) (int64, error)

	People(ctx context.Context) ([]account.Person, error)
	Person(ctx context.Context, id int64) (account.Person, error)
	AddPerson(ctx context.Context, v account.Viewer, p account.NewPerson) (id int64, err error)
	ChangePerson(ctx context.Context, v account.Viewer, id int64, c account.PersonChange) error
	AddGrant(ctx context.Context, v account.Viewer, person int64, g account.Grant) (id int64, err error)
	WithdrawGrant(ctx context.Context, v account.Viewer, person, id int64) error

	Keys(ctx context.Context, v account.Viewer) ([]account.Key, error)
	AddKey(ctx context.Context, v account.Viewer, k account.NewKeyRecord) error
	RevokeKey(ctx context.Context, v account.Viewer, id string) error

	Organisations(ctx context.Context) ([]account.Organisation, error)
	AddOrganisation(ctx context.Context, v account.Viewer, o account.Organisation) error
	Publications(ctx context.Context) ([]account.Publication, error)
	SetPublication(ctx context.Context, v account.Viewer, p account.Publication) error

	// Audit records a refusal.
	Audit(ctx context.Context, who, action, subject string, detail map[string]any) error
	// AuditEntries returns entries below an id (0: from the end), and proves these and some
	// that have not been proved yet.
	AuditEntries(ctx context.Context, below int64, limit int) (account.AuditPage, error)
}

// Checker judges proposals for masts as the question's viewer may know the register.
type Checker interface {
	// AppendAnswer judges one proposal and appends its answer, JSON.
	// *layer.InvalidError for one that cannot be judged.
	AppendAnswer(ctx context.Context, q permit.Question, dst, body []byte) ([]byte, error)
	// Answers returns one answer, or faults, for each proposal, in order.
	Answers(ctx context.Context, q permit.Question, bodies []json.RawMessage) ([]permit.JSONAnswer, error)
	// Batch returns a batch whose judges are this checker's.
	Batch(q permit.Question) *permit.Batch
	// Network writes what the rules say of every mast of an operator, and counts them.
	// Effects says what a rule set changes for the masts there are, against another.
	Effects(ctx context.Context, q permit.Question, from, to permit.RuleSetEntry) (permit.Effects, error)
	Network(ctx context.Context, q permit.Question, operator, language string, f permit.NetworkFormat, out io.Writer) (permit.NetworkSummary, error)
}

// Cables judges proposals for cables as the question's viewer may know the register.
type Cables interface {
	// Answers returns one answer, or faults, for each proposal, in order.
	Answers(ctx context.Context, q permit.Question, bodies []json.RawMessage) ([]permit.JSONAnswer, error)
}

// Indicators measures administrative units.
type Indicators interface {
	// Units returns one JSON-marshalable value for each unit of the level ("province",
	// "district", "commune") in force on the date; code "" means all of them.
	// ErrNotFound for a code without a unit.
	Units(ctx context.Context, v account.Viewer, level, code string, date geo.Date) ([]any, error)
	// Uncovered returns a JSON-marshalable GeoJSON feature collection of the parts of a
	// unit that no service disc covers; operator "" means of all. ErrNotFound for a code
	// without a unit.
	Uncovered(ctx context.Context, v account.Viewer, level, code, operator, stage string, date geo.Date) (any, error)
	// SharingClusters returns a JSON-marshalable GeoJSON feature collection of the masts of
	// a unit that could have been fewer; withinM nil means as near as the rules in force
	// say. ErrNotFound for a code without a unit.
	SharingClusters(ctx context.Context, v account.Viewer, level, code, stage string, withinM *float64, date geo.Date) (any, error)
}

// Ledger holds the plan's own figures against the map.
type Ledger interface {
	// Document returns a JSON-marshalable document: "indicators", "phases", "projects",
	// "reconciliation" or "tables/NAME" of the plan; plan "" means the one in force.
	// ErrNotFound for an unknown plan or table.
	Document(ctx context.Context, v account.Viewer, name, plan string, date geo.Date) (any, error)
}
