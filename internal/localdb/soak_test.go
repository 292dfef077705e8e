//go:build soak

package localdb_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// soakKills is how often PostgreSQL is killed; soakWriters write meanwhile.
const soakKills, soakWriters = 50, 4

// TestSoakKillsLoseNothing kills the postmaster, every fifth time the keeper too, at random moments
// under writers that note every acknowledged row. Afterwards each noted row must be there, once,
// and a row nobody was told about is one at most for every interrupted write.
func TestSoakKillsLoseNothing(t *testing.T) {
	c := open(t, openDir(t))
	execute(t, c.OwnerURL(), "CREATE TABLE ledger (writer int, n int)")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	stop, cancel := context.WithCancel(context.Background())
	var writers sync.WaitGroup
	acked := make([]map[int]bool, soakWriters)
	unknown := make([]int, soakWriters)
	for w := range soakWriters {
		acked[w] = map[int]bool{}
		writers.Go(func() { unknown[w] = writeUntil(stop, c.OwnerURL(), w, acked[w]) })
	}
	var slowest time.Duration
	for i := range soakKills {
		before := time.Now()
		until(t, "an answer", func() bool { _, err := ask(testCtx(t), c.OwnerURL(), "SELECT 'x'"); return err == nil })
		slowest = max(slowest, time.Since(before))
		// A random moment under load: not a wait for a condition.
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
		pm := postmaster(c.DataDir())
		if i%5 == 4 {
			kill(t, parentOf(t, pm))
		} else {
			kill(t, pm)
		}
	}
	until(t, "an answer", func() bool { _, err := ask(testCtx(t), c.OwnerURL(), "SELECT 'x'"); return err == nil })
	cancel()
	writers.Wait()
	total := 0
	for w := range soakWriters {
		total += len(acked[w])
		checkLedger(t, c.OwnerURL(), w, acked[w], unknown[w])
	}
	t.Logf("%d kills, %d acknowledged writes, slowest return %v", soakKills, total, slowest.Round(time.Millisecond))
	if total < soakKills {
		t.Errorf("only %d writes were acknowledged: the test shows nothing", total)
	}
}

// writeUntil inserts numbered rows until stop, notes those acknowledged, and returns how many
// writes ended without an answer.
func writeUntil(stop context.Context, url string, writer int, acked map[int]bool) (unknown int) {
	var conn *pgx.Conn
	for n := 0; stop.Err() == nil; n++ {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		var err error
		if conn == nil || conn.IsClosed() {
			conn, err = pgx.Connect(ctx, url)
		}
		if err == nil {
			if _, err = conn.Exec(ctx, "INSERT INTO ledger VALUES ($1, $2)", writer, n); err == nil {
				acked[n] = true
			} else {
				unknown++
			}
		}
		cancel()
	}
	if conn != nil {
		_ = conn.Close(context.Background())
	}
	return unknown
}

// checkLedger compares what one writer was told with what is stored.
func checkLedger(t *testing.T, url string, writer int, acked map[int]bool, unknown int) {
	t.Helper()
	ctx := testCtx(t)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, "SELECT n FROM ledger WHERE writer = $1", writer)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	seen, phantoms := map[int]bool{}, 0
	for _, n := range stored {
		if seen[n] {
			t.Errorf("writer %d: row %d is there twice", writer, n)
		}
		seen[n] = true
		if !acked[n] {
			phantoms++
		}
	}
	lost := []string{}
	for n := range acked {
		if !seen[n] {
			lost = append(lost, fmt.Sprint(n))
		}
	}
	if len(lost) > 0 || phantoms > unknown {
		t.Errorf("writer %d: lost %v, %d rows nobody asked for (%d writes had no answer)", writer, lost, phantoms, unknown)
	}
}
