package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"hatang/internal/account"
	"hatang/internal/permit"
)

// metrics are the figures under /metrics, in a registry of their own.
type metrics struct {
	handler  http.Handler // of all figures
	public   http.Handler // of those that tell nobody what staff and operators do
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	running  prometheus.Gauge
	series   sync.Map // by answered: series, which are found so without being named anew
}

func newMetrics(c Config, limits *limits, drawn *tileCache) *metrics {
	registry := prometheus.NewRegistry()
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hatang_http_requests_total", Help: "Requests answered, by method, route and status.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hatang_http_request_duration_seconds", Help: "Time from the request's header to the answer's last byte, by method and route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hatang_http_requests_running", Help: "Requests being answered now.",
		}),
	}
	registry.MustRegister(m.requests, m.duration, m.running, limits, drawn,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if c.Memory != nil {
		registry.MustRegister(memoryCollector(c.Memory))
	}
	if c.Rows != nil {
		registry.MustRegister(rowsCollector(c.Rows))
	}
	if c.Pool != nil {
		registry.MustRegister(poolCollector(c.Pool))
	}
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true})
	m.public = promhttp.HandlerFor(published(registry), promhttp.HandlerOpts{DisableCompression: true})
	return m
}

// published leaves out the figures from which the public could infer what it may not
// see: how many changes there were, by whom they were made, who else is asking, and how
// much is in the tiles that others are drawn.
func published(all prometheus.Gatherer) prometheus.GathererFunc {
	return func() ([]*dto.MetricFamily, error) {
		families, err := all.Gather()
		var kept []*dto.MetricFamily
		for _, family := range families {
			if slices.Contains([]string{"hatang_snapshot_changes_total", "hatang_snapshot_builds_total", "hatang_snapshot_failures_total", "hatang_tile_memory_bytes"}, family.GetName()) {
				continue
			}
			family.Metric = slices.DeleteFunc(family.Metric, tellsOfOthers)
			if len(family.Metric) > 0 {
				kept = append(kept, family)
			}
		}
		return kept, err
	}
}

// tellsOfOthers reports whether a figure is about what the public cannot do.
func tellsOfOthers(m *dto.Metric) bool {
	label := func(name string) string {
		i := slices.IndexFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetName() == name })
		if i < 0 {
			return ""
		}
		return m.Label[i].GetValue()
	}
	if viewers := label("viewers"); viewers != "" {
		return viewers != account.Anonymous().Class()
	}
	method := label("method")
	return method != "" && changes(method) && !strings.HasSuffix(label("route"), "-checks")
}

// observe records one answered request. The route is a pattern and the method one
// of the known, so that clients cannot make series without end.
func (m *metrics) observe(method, route string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other"
	}
	of := answered{method, route, status}
	known, ok := m.series.Load(of)
	if !ok {
		known, _ = m.series.LoadOrStore(of, series{m.requests.WithLabelValues(method, route, strconv.Itoa(status)), m.duration.WithLabelValues(method, route)})
	}
	own, _ := known.(series)
	own.requests.Inc()
	own.duration.Observe(took.Seconds())
}

// answered is what requests are counted by, series are the figures of one kind of them.
type (
	answered struct {
		method, route string
		status        int
	}
	series struct {
		requests prometheus.Counter
		duration prometheus.Observer
	}
)

// memoryCollector shows how fresh the snapshots are and what they are used for.
type memoryCollector func() permit.Report

// figure is one of the memory's figures.
func figure(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("hatang_snapshot_"+name, help, labels, nil)
}

// Describe leaves the figures to Collect: the kinds of viewers come and go.
func (memoryCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c memoryCollector) Collect(out chan<- prometheus.Metric) {
	report := c()
	for _, f := range []struct {
		desc  *prometheus.Desc
		value int64
		label []string
	}{
		{figure("checks_total", "Calls for checks, by what answered: memory or database.", "from"), report.FromMemory, []string{"memory"}},
		{figure("checks_total", "Calls for checks, by what answered: memory or database.", "from"), report.FromDatabase, []string{"database"}},
		{figure("builds_total", "Snapshots read whole from the database."), report.Builds, nil},
		{figure("changes_total", "Times that changes were applied to a snapshot."), report.AppliedChanges, nil},
		{figure("failures_total", "Times that snapshots could not be built or kept fresh."), report.Failures, nil},
	} {
		out <- prometheus.MustNewConstMetric(f.desc, prometheus.CounterValue, float64(f.value), f.label...)
	}
	oldest := map[string]float64{}
	for _, s := range report.Snapshots {
		if s.AgeS != nil {
			oldest[s.Viewers] = max(oldest[s.Viewers], *s.AgeS)
		}
	}
	age := figure("age_seconds", "How long ago the snapshot was known to be the latest, by kind of viewers, the oldest of a kind.", "viewers")
	for viewers, seconds := range oldest {
		out <- prometheus.MustNewConstMetric(age, prometheus.GaugeValue, seconds, viewers)
	}
}

// rowsCollector shows how many rows are in memory.
type rowsCollector func(each func(viewers string, rows, bytes int64))

// Figures of the rows in memory.
var (
	rowsFigure     = prometheus.NewDesc("hatang_memory_rows", "Rows of layers in memory, by kind of viewers.", []string{"viewers"}, nil)
	rowBytesFigure = prometheus.NewDesc("hatang_memory_rows_bytes", "Memory that the rows of layers hold, by kind of viewers.", []string{"viewers"}, nil)
)

// Describe implements prometheus.Collector.
func (rowsCollector) Describe(out chan<- *prometheus.Desc) {
	out <- rowsFigure
	out <- rowBytesFigure
}

// Collect implements prometheus.Collector.
func (c rowsCollector) Collect(out chan<- prometheus.Metric) {
	c(func(viewers string, rows, bytes int64) {
		out <- prometheus.MustNewConstMetric(rowsFigure, prometheus.GaugeValue, float64(rows), viewers)
		out <- prometheus.MustNewConstMetric(rowBytesFigure, prometheus.GaugeValue, float64(bytes), viewers)
	})
}
