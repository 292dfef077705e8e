package memory

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// Register is where everything is in truth: the database.
type Register interface {
	// Told returns the versions of all layers for all audiences, read in one statement.
	Told(ctx context.Context) (*Told, error)
	// LayerVersions returns the versions that the viewer is told.
	LayerVersions(ctx context.Context, v account.Viewer) (layer.Versions, error)
	// TileRows hands over the rows of a tile; see Memory.TileRows.
	TileRows(ctx context.Context, v account.Viewer, l *layer.Layer, box orb.Bound, q layer.Query, fields []*layer.Field, each func(*layer.Row) error) error
	// Features, CountFeatures, CountWithin and FeatureAmongVersions are those of the Memory.
	Features(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, each func(*layer.Row) error) error
	CountFeatures(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query) (int64, error)
	CountWithin(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, within time.Duration) (int64, bool, error)
	FeatureAmongVersions(ctx context.Context, v account.Viewer, l *layer.Layer, id int64) (*layer.Row, []int64, error)
	// AllRows hands over every row of a layer that the viewer sees, whatever its dates,
	// with all its fields, as of one state of the database, which it returns.
	AllRows(ctx context.Context, v account.Viewer, l *layer.Layer, each func(*layer.Row) error) (Reading, error)
	// RowsSince hands over the rows that have changed since a reading and that the viewer
	// sees, as they are now, and returns the ids of all that have. whole: so much has
	// changed, or of such a kind, that everything must be read again.
	RowsSince(ctx context.Context, v account.Viewer, l *layer.Layer, since Reading, each func(*layer.Row) error) (now Reading, changed []int64, whole bool, err error)
	// KeyHolder returns who has the key of a hash, SessionHolder who is signed in with the token
	// of one; layer.ErrNotFound for nobody.
	KeyHolder(ctx context.Context, hash string) (Holder[account.Viewer], error)
	SessionHolder(ctx context.Context, hash string) (Holder[account.Session], error)
	// Edits counts the writes of this process that are committed, or may be.
	Edits() int64
	// Watch calls wake for each notification of a change, until the context ends or it
	// cannot, and returns why.
	Watch(ctx context.Context, wake func()) error
}

// Reading says of which state of the database rows were read.
type Reading struct {
	Server    string // which database it is, and since when it runs
	Snapshot  string // the transactions that the reading saw, as PostgreSQL writes them
	Version   int64  // of the layer, as the viewer is told it
	Published int64  // version of the settings by which places are shown; 0 where none matter
	ShownAs   int64  // the same, 0 where all places are shown as they are
}

// Version is the number of changes to the rows of a layer that an audience is told of.
type Version struct {
	Layer    string
	Audience account.Audience
	Number   int64
}

// Told is what a database tells of its layers. It does not change, and is safe for
// concurrent use.
type Told struct {
	server   string
	versions []Version
	classes  sync.Map // by class of viewers: layer.Versions
	access   *access
}

// AccessLayer is told to servers alone: its version is that of who may do what. No layer is named so.
const AccessLayer = "@access"

// NewTold returns what the database with the name tells.
func NewTold(server string, versions []Version) *Told {
	t := &Told{server: server, versions: versions, access: &access{server: server}}
	for _, one := range versions {
		if one.Layer == AccessLayer {
			t.access.version = one.Number
		}
	}
	return t
}

// For returns the versions that a viewer is told. The map is shared: it must not be changed.
func (t *Told) For(v account.Viewer) layer.Versions {
	class := v.Class()
	if known, ok := t.classes.Load(class); ok {
		return known.(layer.Versions)
	}
	everywhere, of := v.Audiences()
	versions := layer.Versions{}
	for _, one := range t.versions {
		if slices.Contains(everywhere, one.Audience) || slices.Contains(of, string(one.Audience)+"/"+one.Layer) {
			versions[one.Layer] += one.Number
		}
	}
	t.classes.Store(class, versions)
	return versions
}

// same reports whether nothing has changed.
func (t *Told) same(other *Told) bool {
	return t.server == other.server && slices.Equal(t.versions, other.versions)
}
