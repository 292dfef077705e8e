package plan

import (
	"context"
	"math"
	"strconv"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"hatang/geo"
	"hatang/geo/sharing"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// ClustersQuery asks for the masts of one unit that could have been fewer.
type ClustersQuery struct {
	Level, Code string
	Stage       string // built or with_planned
	Date        geo.Date
	// WithinM is how near masts are to be, metres; nil: as near as the sharing rules of the
	// unit's territory say, the largest of their distances.
	WithinM *float64
}

// SharingClusters is a GeoJSON feature collection of clusters of masts, the largest
// first, then the closest; see sharing.Clusters.
type SharingClusters struct {
	Type       string           `json:"type"`
	Unit       UnitRef          `json:"unit"`
	Date       geo.Date         `json:"date"`
	Of         string           `json:"of"`
	Stage      string           `json:"stage"`
	WithinM    *float64         `json:"within_m"`          // null: no rule says it, and nor does the query
	Sites      int              `json:"sites"`             // of the unit, in this stage
	Unknown    int              `json:"unknown,omitempty"` // those on which no operator is known: in no cluster
	Definition string           `json:"definition"`
	Source     string           `json:"source"`
	Reason     *geo.Text        `json:"reason,omitempty"` // why the clusters cannot be told
	Features   []SharingCluster `json:"features"`
	Versions   layer.Versions   `json:"versions"`
	// Generalised: sites count as the public is shown them, rounded or not at all.
	Generalised bool `json:"generalised,omitempty"`
}

// SharingCluster is one cluster: the points of its masts.
type SharingCluster struct {
	Type       string            `json:"type"`
	Geometry   *geojson.Geometry `json:"geometry"`
	Properties struct {
		Masts     []string `json:"masts"`     // their codes, in the order of the points
		Operators []string `json:"operators"` // on any of them, sorted
		ClosestM  float64  `json:"closest_m"` // between two of them that are linked, to a millimetre
		Count     int      `json:"count"`     // of masts
	} `json:"properties"`
}

// Clusters returns the clusters of the masts of a unit in force on the date; the masts
// of its neighbours are not among them. layer.ErrNotFound where no unit has the code;
// a WithinM that is negative or not finite is an error. Where WithinM is nil and no
// sharing rule is in force there are none, with a reason. While the layers stay as they
// are, an answer is made once.
func (m *Measurer) Clusters(ctx context.Context, v account.Viewer, q ClustersQuery) (SharingClusters, error) {
	within := "by rule"
	if q.WithinM != nil {
		within = strconv.FormatFloat(*q.WithinM, 'g', -1, 64)
	}
	question := asked{v, q.Level, q.Code, q.Date, []string{q.Stage, within}}
	return keptOr(ctx, m, m.clusters, question, func(facts Facts) (SharingClusters, layer.Versions, error) {
		masts := facts.sharedMasts(q.Stage, q.Date)
		result := clustersHeader(&facts, q, masts)
		if q.WithinM != nil {
			return result, nil, result.find(masts)
		}
		rules, versions, err := m.checker.Rules(ctx, v, facts.Units[0].Jurisdiction, q.Date, facts.Versions)
		if err != nil {
			return result, nil, err
		}
		if rules == nil || rules.SharingWithinM() == 0 {
			result.Reason = noSharingRule(q.Date)
			return result, versions, nil
		}
		result.WithinM = float(rules.SharingWithinM())
		result.Source += "; within_m: the largest distance of the sharing rules of " + rules.Label()
		return result, versions, result.find(masts)
	})
}

func clustersHeader(facts *Facts, q ClustersQuery, masts []sharing.Mast) SharingClusters {
	u, unknown := facts.Units[0], 0
	for _, m := range masts {
		if len(m.Operators) == 0 {
			unknown++
		}
	}
	return SharingClusters{
		Type: "FeatureCollection", Unit: UnitRef{u.Code, u.Name, u.Level, u.ValidFrom}, Date: q.Date, Of: "bts_sites", Stage: q.Stage,
		WithinM: q.WithinM, Sites: len(masts), Unknown: unknown, Features: []SharingCluster{}, Versions: facts.Versions, Generalised: facts.Generalised,
		Definition: "masts of the unit, of any type, linked where they stand less than within_m apart (geodesic, on WGS 84) and one of them carries an operator " +
			"that the other does not; a cluster is all that are linked, directly or over others; masts beyond the unit's border are left out",
		Source: "rows of bts_sites, and of operator_positions by site",
	}
}

func noSharingRule(date geo.Date) *geo.Text {
	return &geo.Text{
		VI: "Không có quy tắc dùng chung nào có hiệu lực vào ngày " + date.Text().VI + "; hãy nêu khoảng cách bằng within_m.",
		EN: "No sharing rule is in force on " + date.Text().EN + "; name a distance with within_m.",
	}
}

// find gathers the masts that stand within WithinM.
func (c *SharingClusters) find(masts []sharing.Mast) error {
	clusters, err := sharing.Clusters(masts, *c.WithinM)
	for _, found := range clusters {
		f := SharingCluster{Type: "Feature"}
		points := make(orb.MultiPoint, len(found.Masts))
		for i, m := range found.Masts {
			points[i] = m.Point
			f.Properties.Masts = append(f.Properties.Masts, m.Code)
		}
		f.Geometry = geojson.NewGeometry(points)
		f.Properties.Operators, f.Properties.Count = found.Operators, len(found.Masts)
		f.Properties.ClosestM = math.Round(found.ClosestM*1e3) / 1e3
		c.Features = append(c.Features, f)
	}
	return err
}

// sharedMasts are the masts of the first unit that count in a stage, as its indicators count, with the operators
// whose positions on them count in it too.
func (f *Facts) sharedMasts(stage string, date geo.Date) []sharing.Mast {
	rows := assign(*f)[0]
	operators := map[string][]string{}
	for _, p := range rows.positions {
		if f.counts(p.Status, p.Phase, stage, date) {
			operators[p.Site] = append(operators[p.Site], p.Operator)
		}
	}
	var masts []sharing.Mast
	for _, s := range rows.sites {
		if f.counts(s.Mast.Status, s.Phase, stage, date) {
			masts = append(masts, sharing.Mast{ID: s.Mast.ID, Code: s.Mast.Code, Point: s.Mast.Point, HeightM: s.Mast.HeightM,
				Status: s.Mast.Status, Operators: operators[s.Mast.Code]})
		}
	}
	return masts
}
