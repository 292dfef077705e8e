package httpapi

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Config is what the API is made of. All but PublicURL, UI, Memory and Now must be given.
type Config struct {
	Registry   *layer.Registry
	Store      Store
	Checker    Checker
	Indicators Indicators
	Ledger     Ledger

	// UI serves "/" and its assets, and answers 404 for any other path; nil for none.
	UI http.Handler
	// ReferenceDate returns the date of answers to requests that name none.
	ReferenceDate func() geo.Date
	// Now is the clock of time stamps; nil is time.Now.
	Now func() time.Time
	Log *slog.Logger
	// Memory says how fresh the snapshots are that answers are made from; nil: there
	// are none, and every answer is made from the database.
	Memory func() permit.Report

	// PublicURL is the address clients use, such as https://map.example.vn, without a
	// path; "" takes scheme and host of each request. Forwarded headers are never read.
	PublicURL   string
	Title       geo.Text
	Attribution geo.Text
	Version     string // of the program; part of every ETag
}

// api is a Config being served.
type api struct {
	Config
	metrics *metrics
	openapi documents
	extents extentCache

	compress func(http.Handler) http.Handler
	streams  chan struct{} // holds one for each stream of rows under way
	pace     time.Duration // paceTime
}

// New returns the handler of the whole address space: the page, the API and the
// probes. It fails when the Config lacks a part or the OpenAPI document cannot be
// completed from the registry.
func New(c Config) (http.Handler, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	docs, err := completeOpenAPI(c.Registry, c.Title, c.Version)
	if err != nil {
		return nil, fmt.Errorf("complete the OpenAPI document: %w", err)
	}
	a, err := newAPI(c, docs)
	if err != nil {
		return nil, err
	}
	return a.router(), nil
}

// newAPI puts a checked Config and its document together.
func newAPI(c Config, docs documents) (*api, error) {
	compress, err := newCompressor()
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.UI == nil {
		c.UI = http.NotFoundHandler()
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	return &api{Config: c, metrics: newMetrics(c.Memory), openapi: docs, compress: compress, streams: make(chan struct{}, maxStreams), pace: paceTime}, nil
}

// check names everything that is missing.
func (c *Config) check() error {
	var errs []error
	need := func(missing bool, name string) {
		if missing {
			errs = append(errs, errors.New("httpapi.Config lacks "+name))
		}
	}
	need(c.Registry == nil, "Registry")
	need(c.Store == nil, "Store")
	need(c.Checker == nil, "Checker")
	need(c.Indicators == nil, "Indicators")
	need(c.Ledger == nil, "Ledger")
	need(c.ReferenceDate == nil, "ReferenceDate")
	need(c.Log == nil, "Log")
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.Trim(u.Path, "/") != "" {
			errs = append(errs, fmt.Errorf("the public URL %q is not of the form https://host", c.PublicURL))
		}
	}
	return errors.Join(errs...)
}
