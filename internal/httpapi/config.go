package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Config is what the API is made of. All but FreshLayers, PublicURL, UI, Memory, Rows, Pool,
// OIDC, the limits of clients and Now must be given.
type Config struct {
	Registry *layer.Registry
	// FreshLayers brings reference layers in the registry up to date where they may have
	// changed; nil where they never do.
	FreshLayers func(context.Context) error

	Store      Store
	Accounts   Accounts
	Readers    Identities // who only reads; what they say may be a second old
	Checker    Checker
	Cables     Cables
	Recorder   Recorder
	Indicators Indicators
	Ledger     Ledger
	Publisher  Publisher
	Importer   Importer
	Sites      Sites
	RuleSets   RuleSets
	Refusals   *Refusals

	Passwords *account.Passwords
	OIDC      *account.OIDC // single sign-on; nil for none

	// UI serves "/" and its assets, and answers 404 for any other path; nil for none.
	UI http.Handler
	// ReferenceDate returns the date of answers to requests that name none.
	ReferenceDate func() geo.Date
	// Now is the clock of time stamps; nil is time.Now.
	Now func() time.Time
	// Zone is the time zone of the register's days.
	Zone *time.Location
	Log  *slog.Logger
	// Memory says how fresh the snapshots are that answers are made from; nil: there
	// are none, and every answer is made from the database.
	Memory func() permit.Report
	// Rows tells how many rows of layers are in memory for each kind of viewers, and how
	// many bytes they take, for the metrics; nil for none.
	Rows func(each func(viewers string, rows, bytes int64))
	// Pool tells how many connections to the database each lane has in use and may have,
	// for the metrics; nil for none.
	Pool func(each func(lane string, inUse, most int))

	// PublicRate is how many requests a second one address may make without a key, twice
	// as many at once; 0 for any number. Writes, bad keys and heavy requests are limited
	// whatever it says.
	PublicRate float64
	// TrustedProxies are the networks of proxies whose X-Forwarded-For names the client
	// that limits count; from elsewhere it is not read.
	TrustedProxies []netip.Prefix

	// RequireIfMatch names the layers whose rows are changed or removed only by those who
	// say which revision they have seen. QGIS does not say it, and cannot edit these.
	RequireIfMatch []string

	// PublicURL is the address clients use, such as https://map.example.vn, without a
	// path; "" takes scheme and host of each request, never of forwarded headers.
	PublicURL string
	// Assets are what the API's own pages need beside HTML; the zero Assets is none.
	Assets      Assets
	Title       geo.Text
	Attribution geo.Text
	Version     string // of the program; part of every ETag
}

// api is a Config being served.
type api struct {
	Config
	metrics *metrics
	extents extentCache
	drawn   *tileCache
	counts  countCache
	made    madeFiles

	backlogRoom atomic.Int64 // on disk, for what clients are too slow for
	heldBefore  sync.Pool    // of *[]byte: what answers were held in

	compress *compressor
	limits   *limits
	pace     time.Duration // paceTime
}

// today is the day that it is where the register is.
func (a *api) today() geo.Date { return geo.DateOf(a.Now().In(a.Zone)) }

// New returns the handler of the whole address space: the page, the API and the
// probes. It fails when the Config lacks a part or the OpenAPI document cannot be
// completed from the registry.
func New(c Config) (http.Handler, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	a, err := newAPI(c)
	if err != nil {
		return nil, err
	}
	if _, err := openapiDocuments.of(&c, c.Registry.All()); err != nil {
		return nil, err
	}
	return a.router(), nil
}

// newAPI puts together what a checked Config needs beside it.
func newAPI(c Config) (*api, error) {
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
	drawn, err := newTileCache(tileCacheBytes)
	if err != nil {
		return nil, err
	}
	counts, err := newCountCache()
	if err != nil {
		return nil, err
	}
	limits := newLimits(runtime.GOMAXPROCS(0), c.PublicRate, c.TrustedProxies)
	a := &api{Config: c, metrics: newMetrics(c, limits, drawn), drawn: drawn, counts: counts, compress: compress, limits: limits, pace: paceTime}
	a.backlogRoom.Store(backlogDisk)
	return a, nil
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
	need(c.Accounts == nil, "Accounts")
	need(c.Readers == nil, "Readers")
	need(c.Checker == nil, "Checker")
	need(c.Cables == nil, "Cables")
	need(c.Recorder == nil, "Recorder")
	need(c.Indicators == nil, "Indicators")
	need(c.Ledger == nil, "Ledger")
	need(c.Publisher == nil, "Publisher")
	need(c.Importer == nil, "Importer")
	need(c.Sites == nil, "Sites")
	need(c.RuleSets == nil, "RuleSets")
	need(c.Refusals == nil, "Refusals")
	need(c.Passwords == nil, "Passwords")
	need(c.ReferenceDate == nil, "ReferenceDate")
	need(c.Zone == nil, "Zone")
	need(c.Log == nil, "Log")
	for _, name := range c.RequireIfMatch {
		if c.Registry == nil {
			break
		}
		if _, ok := c.Registry.Whole().Get(name); !ok {
			errs = append(errs, fmt.Errorf("there is no layer %q whose changes could need If-Match", name))
		}
	}
	if !(c.PublicRate >= 0 && c.PublicRate <= mostPublicRate) {
		errs = append(errs, fmt.Errorf("the rate of public requests %g is not from 0 to %g a second", c.PublicRate, mostPublicRate))
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.Trim(u.Path, "/") != "" {
			errs = append(errs, fmt.Errorf("the public URL %q is not of the form https://host", c.PublicURL))
		}
	}
	return errors.Join(errs...)
}
