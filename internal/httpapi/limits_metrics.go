package httpapi

import "github.com/prometheus/client_golang/prometheus"

// Figures of the limits.
var (
	refusedFigure = prometheus.NewDesc("hatang_http_refused_total", "Requests turned away by limits, by reason: queue, streams, bodies, share, keys, writes, rate or sign_ins.", []string{"reason"}, nil)
	runningFigure = prometheus.NewDesc("hatang_http_turns_running", "Requests at work whose number is limited, by lane: heavy ones of the public or of staff, streams of rows, large bodies, uploads, tiles being drawn of the public or of staff, sign-ins from where the account is not at home.", []string{"lane"}, nil)
	queuedFigure  = prometheus.NewDesc("hatang_http_turns_queued", "Requests that wait for their turn, by lane.", []string{"lane"}, nil)
	inUseFigure   = prometheus.NewDesc("hatang_database_connections_in_use", "Connections to the database in use, by lane.", []string{"lane"}, nil)
	mostFigure    = prometheus.NewDesc("hatang_database_connections_max", "Connections to the database there may be, by lane.", []string{"lane"}, nil)
)

// Describe implements prometheus.Collector.
func (l *limits) Describe(out chan<- *prometheus.Desc) {
	out <- refusedFigure
	out <- runningFigure
	out <- queuedFigure
}

// Collect implements prometheus.Collector.
func (l *limits) Collect(out chan<- prometheus.Metric) {
	for why := range reasons {
		out <- prometheus.MustNewConstMetric(refusedFigure, prometheus.CounterValue, float64(l.refused[why].Load()), why.String())
	}
	for lane, turns := range map[string]*turns{"public": l.heavy, "staff": l.heavyStaff, "rows": l.rows, "bodies": l.bodies, "uploads": l.uploads, "tiles": l.tiles, "tiles_staff": l.tilesStaff, "sign_ins": l.signIns.strangers} {
		working, waiting := turns.count()
		out <- prometheus.MustNewConstMetric(runningFigure, prometheus.GaugeValue, float64(working), lane)
		out <- prometheus.MustNewConstMetric(queuedFigure, prometheus.GaugeValue, float64(waiting), lane)
	}
}

// poolCollector shows how many connections of each lane are in use; it calls back for
// each lane.
type poolCollector func(each func(lane string, inUse, most int))

// Describe implements prometheus.Collector.
func (poolCollector) Describe(out chan<- *prometheus.Desc) {
	out <- inUseFigure
	out <- mostFigure
}

// Collect implements prometheus.Collector.
func (c poolCollector) Collect(out chan<- prometheus.Metric) {
	c(func(lane string, inUse, most int) {
		out <- prometheus.MustNewConstMetric(inUseFigure, prometheus.GaugeValue, float64(inUse), lane)
		out <- prometheus.MustNewConstMetric(mostFigure, prometheus.GaugeValue, float64(most), lane)
	})
}
