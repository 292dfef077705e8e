package notice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"hatang/geo"
	"hatang/internal/permit"
)

// Queue is where notices wait, for all servers of a register.
type Queue interface {
	// NoteDeadlines notes what there is to tell of days past and near, each once; those of
	// requests to share as on today.
	NoteDeadlines(ctx context.Context, today geo.Date) error
	// SpreadNotices finds out whom some notices concern, and returns how many.
	SpreadNotices(ctx context.Context, mail bool) (int, error)
	// ClaimNotice takes one that is due, for so long; nil for none.
	ClaimNotice(ctx context.Context, lease time.Duration, mail bool) (*permit.Notice, error)
	// EndNotice tells what came of it; ErrStale where the time was up.
	EndNotice(ctx context.Context, n *permit.Notice, o permit.NoticeOutcome) error
}

const (
	// leaseTime is for how long a server takes a notice: longer than sending may take, and
	// noting it.
	leaseTime = 5 * time.Minute
	// Attempts is how often a notice is sent before it has failed: over a day and a half.
	Attempts = 10
	// poll is how often a server looks for notices.
	poll = time.Second
	// deadlinesEvery is how often a server looks for days that are past or near.
	deadlinesEvery = time.Minute
	noteTime       = 10 * time.Second // what noting the end of a notice may take while the server stops
	maxErrorBytes  = 1000
)

// Wait is how long the next attempt waits after so many that failed: a minute, then four times
// as long each time, six hours at most.
func Wait(attempts int) time.Duration {
	wait := time.Minute
	for range attempts - 1 {
		if wait *= 4; wait > 6*time.Hour {
			return 6 * time.Hour
		}
	}
	return wait
}

// Courier delivers notices.
type Courier struct {
	Queue Queue
	Mail  *Mailer // nil: none is sent
	Hooks *Webhooks
	Wait  func(attempts int) time.Duration
	Today func() geo.Date // the register's reference date
	Log   *slog.Logger
}

// Run delivers what there is until the context ends.
func (c *Courier) Run(ctx context.Context) {
	ticks := time.NewTicker(poll)
	defer ticks.Stop()
	var looked time.Time
	for {
		if time.Since(looked) >= deadlinesEvery {
			looked = time.Now()
			c.say(ctx, c.Queue.NoteDeadlines(ctx, c.Today()))
		}
		worked, err := c.Work(ctx)
		c.say(ctx, err)
		if worked && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// say logs what keeps notices from being delivered at all.
func (c *Courier) say(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		c.Log.ErrorContext(ctx, "notices are not delivered", "cause", err)
	}
}

// Work finds out whom some notices concern and delivers one; false where there was nothing
// to do. An error is about the queue: that a notice could not be delivered is noted there.
func (c *Courier) Work(ctx context.Context) (bool, error) {
	spread, err := c.Queue.SpreadNotices(ctx, c.Mail != nil)
	if err != nil {
		return false, err
	}
	n, err := c.Queue.ClaimNotice(ctx, leaseTime, c.Mail != nil)
	if err != nil || n == nil {
		return spread > 0, err
	}
	outcome := c.deliver(ctx, n)
	// What was sent is noted, also by a server that stops.
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	return true, c.Queue.EndNotice(noting, n, outcome)
}

// deliver sends a notice and returns what came of it.
func (c *Courier) deliver(ctx context.Context, n *permit.Notice) permit.NoticeOutcome {
	err := fmt.Errorf("it was given up after %d attempts", Attempts) // of servers that did not live to note it
	if n.Attempts <= Attempts {
		err = c.send(ctx, n)
	}
	if err == nil {
		return permit.NoticeOutcome{State: permit.NoticeDelivered}
	}
	text := err.Error() // with what strangers' servers say
	text = strings.ReplaceAll(strings.ToValidUTF8(text[:min(len(text), maxErrorBytes)], ""), "\x00", "")
	o := permit.NoticeOutcome{State: permit.NoticeWaiting, Again: c.Wait(n.Attempts), Error: text}
	switch {
	case Refused(err) || n.Attempts >= Attempts:
		o.State, o.Again = permit.NoticeFailed, 0
	case errors.Is(ctx.Err(), context.Canceled): // this server stops: no fault of anybody
		o.Again = 0
	}
	return o
}

func (c *Courier) send(ctx context.Context, n *permit.Notice) error {
	if n.Hook != nil {
		return c.Hooks.Send(ctx, n)
	}
	return c.Mail.Send(ctx, n)
}
