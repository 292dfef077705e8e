package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/httpapi"
	"hatang/internal/layer"
	"hatang/internal/memory"
	"hatang/internal/permit"
	"hatang/internal/plan"
	"hatang/internal/postgis"
	"hatang/internal/web"
)

type serveCommand struct {
	Listen             string         `env:"HATANG_LISTEN" default:":8080" help:"Address to listen on."`
	Demo               bool           `env:"HATANG_DEMO" help:"Load the Điện Biên plan if the database is empty, and answer for its reference date."`
	PublicURL          string         `env:"HATANG_PUBLIC_URL" placeholder:"URL" help:"Address that clients use, when it differs from the request's."`
	Basemap            string         `env:"HATANG_BASEMAP" placeholder:"URL" help:"XYZ tile template of a base map; default none, and then the page asks no other host for anything."`
	PublicRate         float64        `env:"HATANG_PUBLIC_RATE" placeholder:"N" help:"Requests a second that one address may make without a key; default any number."`
	TrustedProxies     []netip.Prefix `env:"HATANG_TRUSTED_PROXIES" placeholder:"CIDR" help:"Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8."`
	RequireIfMatch     []string       `env:"HATANG_REQUIRE_IF_MATCH" placeholder:"LAYERS" help:"Layers whose rows are changed or removed over HTTP only with If-Match, separated by commas; QGIS sends none, and cannot edit them. Default none."`
	OIDCIssuer         string         `env:"HATANG_OIDC_ISSUER" placeholder:"URL" help:"Sign people in by this OpenID Connect provider too; needs --public-url."`
	OIDCClientID       string         `env:"HATANG_OIDC_CLIENT_ID" placeholder:"ID" help:"Name of this service at the provider."`
	OIDCClientSecret   string         `env:"HATANG_OIDC_CLIENT_SECRET" placeholder:"SECRET" help:"Its secret there; better given by the environment, which other users of the machine do not see."`
	MemoryLimit        int64          `env:"HATANG_MEMORY_LIMIT" default:"-1" placeholder:"MIB" help:"Memory in MiB beyond which the server works harder to free what it can; 0 for none; default four fifths of what its control group may take, else a quarter of the machine's, and 400 at least. GOMEMLIMIT stands before it."`
	RowsMemory         int64          `env:"HATANG_ROWS_MEMORY" default:"256" placeholder:"MIB" help:"Memory in MiB for the rows of layers from which tiles and pages are made; what does not fit is read from the database each time. 0 for none."`
	MaxConnections     int            `env:"HATANG_MAX_CONNECTIONS" placeholder:"N" help:"Connections that clients have at a time; default what file descriptors allow, 3584 at most. One more is 503."`
	BasemapAttribution string         `env:"HATANG_BASEMAP_ATTRIBUTION" placeholder:"TEXT" help:"What the base map's licence asks to be shown beside it."`

	WebhookNetworks []netip.Prefix `env:"HATANG_WEBHOOK_NETWORKS" placeholder:"CIDR" help:"Networks of private addresses that webhooks may have; default public addresses alone."`
	smtpFlags       `embed:"" prefix:"smtp-"`

	now func() time.Time // the clock of answers; nil is time.Now
}

// shutdownTimeout is how long running requests may finish after SIGTERM.
const shutdownTimeout = 10 * time.Second

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context, g *globals, env *environment) error {
	started := time.Now()
	connections, err := clientConnections(c.MaxConnections)
	if err == nil {
		err = limitMemory(c.MemoryLimit)
	}
	if err != nil {
		return err
	}
	// Before the first key is made: a port that is taken must not cost the person the key.
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	defer func() { _ = listener.Close() }() // closed already when the server was started
	return g.withDatabase(ctx, env, func(db *database) error {
		if db.cluster != nil {
			if err := db.cluster.LockServe(); err != nil {
				return err
			}
		}
		if err := c.prepare(ctx, env, db, g.signer()); err != nil {
			return err
		}
		store, err := postgis.Open(ctx, db.appURL, db.layers)
		if err != nil {
			return err
		}
		defer store.Close()
		date, err := g.referenceDate(ctx, store)
		if err != nil {
			return err
		}
		grid, err := store.PreferredGrid(ctx)
		if err != nil {
			return err
		}
		lines := newLogLines(env.stderr)
		defer lines.close()
		log := slog.New(slog.NewJSONHandler(lines, nil))
		kept := keepInMemory(store, date, c.RowsMemory*mebibyte, log)
		imports := newImports(store, date, log)
		courier, err := c.courier(store, date, log)
		if err != nil {
			return err
		}
		zone, err := store.Zone(ctx)
		if err != nil {
			return err
		}
		handler, err := c.handler(log, store, kept, imports, grid, date, zone, g.signer())
		if err != nil {
			return err
		}
		stop := inBackground(ctx, kept.run)
		defer stop()
		stopImports := inBackground(ctx, imports.run)
		defer stopImports()
		stopNotices := inBackground(ctx, courier.Run)
		defer stopNotices()
		err = c.listen(ctx, env, listener, connections, handler, started)
		recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		return errors.Join(err, kept.refusals.Flush(recording))
	})
}

// prepare brings the schema up to date, loads the demonstration if asked, and makes
// the administrator's key on the first run: it is printed once, to the terminal and
// never to a log. So is the first key that signs, which nobody is shown.
func (c *serveCommand) prepare(ctx context.Context, env *environment, db *database, signer keyFile) error {
	if err := db.migrate(ctx); err != nil {
		return err
	}
	if c.Demo {
		if _, err := loadDemo(ctx, db, env.stderr); err != nil {
			return err
		}
	}
	if err := signer.ensure(ctx, env, db); err != nil {
		return err
	}
	return db.withAdmin(ctx, func(admin *postgis.Admin) error {
		id, key := account.NewKey()
		k := account.NewKeyRecord{ID: id, Hash: account.Hash(key), Name: "first administrator", Grants: []account.Grant{{Role: account.Administrator}}}
		added, err := admin.AddFirstKey(ctx, k, env.viewer().Name)
		if added && err == nil {
			fmt.Fprintln(env.stderr, "administrator key:", key)
		}
		return err
	})
}

// inBackground runs work until the function it returns is called, which waits for its end.
func inBackground(ctx context.Context, work func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); work(ctx) }()
	return func() { cancel(); <-done }
}

// usualRowsBytes is how much memory the rows of layers may hold where nobody says.
const usualRowsBytes = 256 << 20

// inMemory is what a server keeps in memory: snapshots for checks; versions and rows; how
// many changes were refused to nobody who is known.
type inMemory struct {
	snapshots *permit.Memory
	rows      *memory.Memory
	refusals  *httpapi.Refusals
}

func keepInMemory(store *postgis.Store, date func() geo.Date, rowsBytes int64, log *slog.Logger) inMemory {
	return inMemory{permit.NewMemory(store, date, log), memory.New(store, rowsBytes, log), httpapi.NewRefusals(store.Audit, log)}
}

// run keeps it fresh until the context ends.
func (m inMemory) run(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { m.snapshots.Run(ctx) })
	running.Go(func() { m.rows.Run(ctx) })
	running.Go(func() { m.refusals.Run(ctx) })
	running.Wait()
}

// remembering is a store that answers from memory what that knows to be the latest.
type remembering struct {
	*postgis.Store
	memory *memory.Memory
}

// LayerVersions returns the versions of all layers that the viewer is told.
func (r remembering) LayerVersions(ctx context.Context, v account.Viewer) (layer.Versions, error) {
	return r.memory.LayerVersions(ctx, v)
}

// TileRows hands over the rows of a tile.
func (r remembering) TileRows(ctx context.Context, v account.Viewer, l *layer.Layer, box orb.Bound, q layer.Query, fields []*layer.Field, each func(*layer.Row) error) error {
	return r.memory.TileRows(ctx, v, l, box, q, fields, each)
}

// Features hands over the rows of a page.
func (r remembering) Features(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, each func(*layer.Row) error) error {
	return r.memory.Features(ctx, v, l, q, each)
}

// CountFeatures counts what a query selects.
func (r remembering) CountFeatures(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query) (int64, error) {
	return r.memory.CountFeatures(ctx, v, l, q)
}

// CountWithin is CountFeatures that gives up after so long.
func (r remembering) CountWithin(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, within time.Duration) (int64, bool, error) {
	return r.memory.CountWithin(ctx, v, l, q, within)
}

// FeatureAmongVersions returns a row and the ids of all of its code.
func (r remembering) FeatureAmongVersions(ctx context.Context, v account.Viewer, l *layer.Layer, id int64) (*layer.Row, []int64, error) {
	return r.memory.FeatureAmongVersions(ctx, v, l, id)
}

// handler puts the rooms together.
func (c *serveCommand) handler(log *slog.Logger, store *postgis.Store, kept inMemory, imports *imports, grid *postgis.Grid, date func() geo.Date, zone *time.Location, signer permit.Signer) (http.Handler, error) {
	title, attribution := titles()
	options := web.Options{ReferenceDate: date, TimeZone: zone.String(), BasemapURL: c.Basemap, Attribution: c.BasemapAttribution, Version: version}
	if grid != nil {
		options.Grid = &web.Grid{Code: fmt.Sprintf("EPSG:%d", grid.EPSG), Title: geo.Text{VI: grid.Name, EN: grid.Name}, Proj4: grid.Proj4}
	}
	page, err := web.New(store.Layers(), options)
	if err != nil {
		return nil, err
	}
	oidc, err := c.oidc()
	if err != nil {
		return nil, err
	}
	script, style, icon := web.APIAssets()
	checker := kept.snapshots.Checker()
	measurer := plan.NewMeasurer(store, checker)
	return httpapi.New(httpapi.Config{
		Registry: store.Layers(), FreshLayers: store.FreshLayers, Store: remembering{store, kept.rows}, Accounts: store, Readers: kept.rows, Checker: checker, Cables: permit.NewCables(store), Recorder: permit.NewRecorder(store, signer, zone), Indicators: indicators{measurer},
		Ledger: plan.NewLedger(store, measurer), Publisher: publisher{store, date}, Importer: imports, Sites: siteDesk{store, date}, RuleSets: store, Refusals: kept.refusals, UI: page, ReferenceDate: date, Now: c.now, Zone: zone,
		Log: log, Memory: kept.snapshots.Report, Rows: kept.rows.Report, Pool: store.PoolUse, PublicURL: c.PublicURL, Title: title, RequireIfMatch: c.RequireIfMatch,
		Assets:     httpapi.Assets{Script: script, Style: style, Icon: icon},
		PublicRate: c.PublicRate, TrustedProxies: c.TrustedProxies,
		Passwords: account.NewPasswords(account.DefaultHashMemory), OIDC: oidc,
		Attribution: attribution, Version: version,
	})
}

// oidc returns the single sign-on that the flags name, nil for none. Flows are sealed
// under a key that all servers of one client share: one made of the client's secret.
func (c *serveCommand) oidc() (*account.OIDC, error) {
	if c.OIDCIssuer == "" {
		return nil, nil
	}
	if c.PublicURL == "" || c.OIDCClientID == "" || c.OIDCClientSecret == "" {
		return nil, usageError{errors.New("--oidc-issuer goes with --public-url, --oidc-client-id and --oidc-client-secret")}
	}
	key := sha256.Sum256([]byte("hatang sign-in flow\x00" + c.OIDCClientSecret))
	return account.NewOIDC(account.OIDCConfig{
		Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: c.OIDCClientSecret,
		RedirectURL: strings.TrimSuffix(c.PublicURL, "/") + "/api/v1/session/oidc/callback", Key: key[:], Now: time.Now,
	})
}

func titles() (title, attribution geo.Text) {
	return geo.Text{VI: "Hatang – hạ tầng bưu chính, viễn thông", EN: "Hatang – postal and telecom infrastructure"},
		geo.Text{VI: "Vị trí và hình dạng ghi “minh họa” không phải số đo.", EN: "Places and shapes marked illustrative are not measured."}
}

// listen serves clients with so many connections until the context ends, then lets running
// requests finish.
func (c *serveCommand) listen(ctx context.Context, env *environment, listener net.Listener, connections int, handler http.Handler, started time.Time) error {
	server := httpapi.Server(c.Listen, handler)
	limited := httpapi.LimitConnections(server, listener, connections)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(limited) }()
	fmt.Fprintf(env.stdout, "listening on http://%s\n", browsable(listener.Addr()))
	fmt.Fprintf(env.stderr, "Ready after %.1f s. Stop with Ctrl-C.\n", time.Since(started).Seconds())
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		return errors.Join(fmt.Errorf("some requests did not finish: %w", err), server.Close())
	}
	return nil
}

// browsable turns the address of all interfaces into one that a browser can open.
func browsable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return addr.String()
}

// indicators fits the measurer to what the API asks for.
type indicators struct{ measurer *plan.Measurer }

// Units returns the figures of units.
func (m indicators) Units(ctx context.Context, v account.Viewer, level, code string, date geo.Date) ([]any, error) {
	figures, err := m.measurer.Units(ctx, v, level, code, date)
	units := make([]any, len(figures))
	for i, f := range figures {
		units[i] = f
	}
	return units, err
}

// Uncovered returns the parts of a unit without cover.
func (m indicators) Uncovered(ctx context.Context, v account.Viewer, level, code, operator, stage string, date geo.Date) (any, error) {
	return m.measurer.Uncovered(ctx, v, plan.UncoveredQuery{Level: level, Code: code, Operator: operator, Stage: stage, Date: date})
}

// SharingClusters returns the masts of a unit that could have been fewer.
func (m indicators) SharingClusters(ctx context.Context, v account.Viewer, level, code, stage string, withinM *float64, date geo.Date) (any, error) {
	return m.measurer.Clusters(ctx, v, plan.ClustersQuery{Level: level, Code: code, Stage: stage, Date: date, WithinM: withinM})
}
