package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hatang/internal/account"
	"hatang/internal/httpapi"
	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

// register is the demonstration in a database of its own, and one server of it in this
// process.
type register struct {
	db       *database
	owner    *pgxpool.Pool // as psql works
	store    *postgis.Store
	server   http.Handler
	refusals *httpapi.Refusals // of the server that was started last
	signer   keyFile           // by which servers sign

	serveCommand serveCommand // of servers that are started
}

// demonstration returns a database of the test's own with the demonstration in it.
var demonstration = testdb.Once(func(ctx context.Context, url string) error {
	layers, err := layer.Layers()
	if err != nil {
		return err
	}
	db := &database{ownerURL: url, appURL: url, layers: layers}
	if err := db.migrate(ctx); err != nil {
		return err
	}
	_, err = loadDemo(ctx, db, io.Discard)
	return err
})

// newRegister makes a register with the demonstration.
func newRegister(t *testing.T) *register {
	t.Helper()
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	url := demonstration(t)
	r := &register{db: &database{ownerURL: url, appURL: url, layers: layers}}
	if r.owner, err = pgxpool.New(ctx, url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.owner.Close)
	r.signer = keyFile(filepath.Join(t.TempDir(), "key.pem"))
	if err := r.signer.ensure(ctx, &environment{user: "test"}, r.db); err != nil {
		t.Fatal(err)
	}
	r.server, r.store = r.serve(t)
	return r
}

// serve starts a server of the register: a store, a memory that is kept fresh, and the
// whole handler, as the serve command puts them together.
func (r *register) serve(t *testing.T) (http.Handler, *postgis.Store) {
	t.Helper()
	ctx := context.Background()
	store, err := postgis.Open(ctx, r.db.appURL, r.db.layers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	date, err := (&globals{}).referenceDate(ctx, store)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	kept := keepInMemory(store, date, usualRowsBytes, log)
	r.refusals = kept.refusals
	handler, err := r.serveCommand.handler(log, store, kept, newImports(store, date, log), nil, date, time.UTC, r.signer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(inBackground(ctx, kept.run))
	return handler, store
}

// sql runs a statement as the owner.
func (r *register) sql(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := r.owner.Exec(context.Background(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// value reads one value as the owner.
func value[T any](t *testing.T, r *register, statement string, args ...any) T {
	t.Helper()
	v, err := read[T](r, statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// read is value for goroutines.
func read[T any](r *register, statement string, args ...any) (v T, err error) {
	if err = r.owner.QueryRow(context.Background(), statement, args...).Scan(&v); err != nil {
		err = fmt.Errorf("%s: %w", statement, err)
	}
	return v, err
}

// keeper is who makes what a test works with.
var keeper = account.Terminal("test")

// password is everybody's, and hashed once.
const password = "đường dây nóng 1954"

var passwordHash = sync.OnceValues(func() (string, error) {
	return account.NewPasswords(account.DefaultHashMemory).Hash(context.Background(), password)
})

// person keeps a person who may sign in.
func (r *register) person(t *testing.T, login, organisation string, grants ...account.Grant) int64 {
	t.Helper()
	hash, err := passwordHash()
	if err != nil {
		t.Fatal(err)
	}
	var id int64
	err = patiently(func() (err error) {
		id, err = r.store.AddPerson(context.Background(), keeper, account.NewPerson{
			Login: login, Name: login, Organisation: organisation, PasswordHash: hash, Grants: grants})
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", login, err)
	}
	return id
}

// patiently does something again while the machine is too slow for the store's limits.
func patiently(work func() error) (err error) {
	for range 50 {
		if err = work(); !errors.Is(err, layer.ErrUnavailable) && !errors.Is(err, layer.ErrTimeout) {
			return err
		}
	}
	return err
}

// session signs a person in and returns the token.
func (r *register) session(t *testing.T, person int64, lasts time.Duration) string {
	t.Helper()
	token, err := r.newSession(person, lasts)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (r *register) newSession(person int64, lasts time.Duration) (string, error) {
	token := account.NewToken()
	return token, patiently(func() error {
		return r.store.StartSession(context.Background(), account.NewSession{Person: person, Token: token, Address: "192.0.2.1", Expires: time.Now().Add(lasts)})
	})
}

// key keeps a key, of a person or with 0 of a program.
func (r *register) key(t *testing.T, person int64, organisation string, expires time.Time, grants ...account.Grant) (id, key string) {
	t.Helper()
	id, key, err := r.newKey(person, organisation, expires, grants...)
	if err != nil {
		t.Fatal(err)
	}
	return id, key
}

func (r *register) newKey(person int64, organisation string, expires time.Time, grants ...account.Grant) (id, key string, err error) {
	id, key = account.NewKey()
	k := account.NewKeyRecord{ID: id, Name: "test", Hash: account.Hash(key), Person: person, Organisation: organisation, Grants: grants, Expires: expires}
	return id, key, patiently(func() error { return r.store.AddKey(context.Background(), keeper, k) })
}

// signedIn is what a browser sends along: the cookie, and with a change the token that
// goes with it.
func signedIn(token string) []string {
	return []string{"Cookie", "hatang_session=" + token, "X-CSRF-Token", account.CSRFToken(token)}
}

// addresses counts the clients: each request comes from another address, so that no
// limit of one address is met.
var addresses atomic.Uint32

// send hands a request to a server and returns its answer; headers are name, value pairs.
// It sends it again while the server is too busy, as it may be on a slow machine.
func send(server http.Handler, method, path, body string, headers ...string) answer {
	for range 20 {
		if a := sendOnce(server, method, path, body, headers); a.status != http.StatusServiceUnavailable && a.status != http.StatusGatewayTimeout {
			return a
		}
	}
	return sendOnce(server, method, path, body, headers)
}

func sendOnce(server http.Handler, method, path, body string, headers []string) answer {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	n := addresses.Add(1)
	r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", n>>16&255, n>>8&255, n&255)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return answer{request: method + " " + path, status: w.Code, header: w.Header(), body: bytes.Clone(w.Body.Bytes())}
}

// transaction runs statements of the owner in one transaction.
func (r *register) transaction(t *testing.T, work func(pgx.Tx) error) {
	t.Helper()
	if err := pgx.BeginFunc(context.Background(), r.owner, work); err != nil {
		t.Fatal(err)
	}
}
