package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// What the audit holds of refused changes of nobody who is known: of each network one in
// full, and then how many others there were in so long.
const (
	refusalSpan = 15 * time.Minute
	refusalTick = time.Minute // after which it is looked whether that is over
	// maxRefusalNetworks are told apart at a time; all others are one.
	maxRefusalNetworks = 1024
	// An IPv4 /24 and an IPv6 /48 are one network: what one who has one address may well have.
	refusalBits4, refusalBits6 = 24, 48
)

// Refusals are refused changes of nobody who is known. Anybody can make them, from as many
// addresses as he has, and so they must not each be an entry of the audit. A server that
// ends without Flush forgets how many there were beside the first. They are safe for
// concurrent use.
type Refusals struct {
	audit func(ctx context.Context, who, action, subject string, detail map[string]any) error
	log   *slog.Logger
	now   func() time.Time

	mu sync.Mutex
	of map[netip.Prefix]*refusedOf // the zero Prefix is all other networks
}

// refusedOf are those of a network beside the first.
type refusedOf struct {
	since, last time.Time
	count       int64
}

// NewRefusals returns Refusals that write to an audit (Accounts.Audit). Run must be run,
// and Flush called at the end.
func NewRefusals(audit func(ctx context.Context, who, action, subject string, detail map[string]any) error, log *slog.Logger) *Refusals {
	return &Refusals{audit: audit, log: log, now: time.Now, of: map[netip.Prefix]*refusedOf{}}
}

// note counts a refusal of an address, or as the first of its network records it in full:
// the error is that of doing so.
func (f *Refusals) note(addr netip.Addr, record func() error) error {
	network := refusalNetwork(addr)
	f.mu.Lock()
	if f.of[network] == nil && len(f.of) >= maxRefusalNetworks {
		network = netip.Prefix{}
	}
	now := f.now()
	if of := f.of[network]; of != nil {
		of.count++
		of.last = now
		f.mu.Unlock()
		return nil
	}
	of := &refusedOf{since: now}
	f.of[network] = of
	f.mu.Unlock()
	err := record()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil && of.count == 0 && f.of[network] == of {
		delete(f.of, network) // the next one is the first
	}
	return err
}

// refusalNetwork is the network of an address; the zero Prefix for no address.
func refusalNetwork(addr netip.Addr) netip.Prefix {
	bits := refusalBits6
	if addr.Is4() {
		bits = refusalBits4
	}
	network, err := addr.Prefix(bits)
	if err != nil { // both lengths fit their kind of address: it is none
		return netip.Prefix{}
	}
	return network
}

// Run records what has been counted for as long as that goes on, until the context ends.
func (f *Refusals) Run(ctx context.Context) {
	tick := time.NewTicker(refusalTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := f.record(ctx, f.now().Add(-refusalSpan)); err != nil && ctx.Err() == nil {
			f.log.WarnContext(ctx, "refused changes are not in the audit yet", "cause", err)
		}
	}
}

// Flush records all that has been counted. What could not be is counted still.
func (f *Refusals) Flush(ctx context.Context) error { return f.record(ctx, f.now()) }

// record writes an entry for each network whose first refusal was at a time or before. From
// then on the next of that network is the first.
func (f *Refusals) record(ctx context.Context, until time.Time) error {
	f.mu.Lock()
	due := map[netip.Prefix]*refusedOf{}
	for network, of := range f.of {
		if !of.since.After(until) {
			due[network] = of
			delete(f.of, network)
		}
	}
	f.mu.Unlock()
	var errs []error
	for network, of := range due {
		if of.count == 0 {
			continue
		}
		subject := "network:other"
		if network.IsValid() {
			subject = "network:" + network.String()
		}
		err := f.audit(ctx, "public", "write.refused", subject, map[string]any{"count": of.count, "from": of.since.UTC(), "to": of.last.UTC()})
		if err != nil {
			errs = append(errs, err)
			f.putBack(network, of)
		}
	}
	return errors.Join(errs...)
}

// putBack counts again what could not be recorded.
func (f *Refusals) putBack(network netip.Prefix, of *refusedOf) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.of[network]; now != nil {
		of.count += now.count
		of.last = now.last
	}
	f.of[network] = of
}
