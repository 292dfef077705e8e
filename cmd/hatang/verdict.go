package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

type verdictCommand struct {
	Show      verdictShowCommand   `cmd:"" help:"Write a recorded verdict as JSON, with what proves it."`
	Verify    verdictVerifyCommand `cmd:"" help:"Prove a recorded verdict; exit status 1 where it is not as it was signed."`
	Replay    verdictReplayCommand `cmd:"" help:"Ask its question again of the register as it was known then; exit status 1 where the answer is another."`
	Keys      verdictKeysCommand   `cmd:"" help:"Write the public keys there have been, as a JWK set."`
	RotateKey verdictRotateCommand `cmd:"" help:"Sign by a new key from now on; what the old ones have signed is verified as before."`
}

// recordedVerdict is a verdict that was just recorded.
type recordedVerdict struct {
	number   string
	answer   json.RawMessage
	document permit.RecordDocument
}

// record judges a question as it came and keeps the verdict.
func (g *globals) record(ctx context.Context, env *environment, db *database, s *postgis.Store, kind permit.Kind, question json.RawMessage, date geo.Date) (recordedVerdict, error) {
	if err := g.signer().ensure(ctx, env, db); err != nil {
		return recordedVerdict{}, err
	}
	zone, err := s.Zone(ctx)
	if err != nil {
		return recordedVerdict{}, err
	}
	recorder := permit.NewRecorder(s, g.signer(), zone)
	judged, err := recorder.Judge(ctx, env.viewer(), date, kind, []json.RawMessage{question})
	if err != nil {
		return recordedVerdict{}, err
	}
	if judged[0].Invalid != nil {
		return recordedVerdict{}, judged[0].Invalid
	}
	r, err := recorder.Seal(judged[0], 0, nil)
	if err == nil {
		err = s.RecordVerdict(ctx, env.viewer(), r)
	}
	return recordedVerdict{judged[0].Number, judged[0].Answer, r.Document()}, err
}

// print writes the number for people, or all of it for programs.
func (r recordedVerdict) print(env *environment, asJSON bool) error {
	if asJSON {
		return writeJSON(env.stdout, r.document)
	}
	_, err := fmt.Fprintln(env.stdout, r.number)
	return err
}

// verdictOf looks up a verdict.
func verdictOf(ctx context.Context, env *environment, s *postgis.Store, number string) (permit.Record, error) {
	r, err := s.Verdict(ctx, env.viewer(), number)
	if errors.Is(err, layer.ErrNotFound) {
		return r, fmt.Errorf("there is no verdict %s", number)
	}
	return r, err
}

type verdictShowCommand struct {
	Number string `arg:"" help:"As V-2026-0123-4567-89AB."`
}

// Run writes it.
func (c *verdictShowCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		r, err := verdictOf(ctx, env, s, c.Number)
		if err != nil {
			return err
		}
		return writeJSON(env.stdout, r.Document())
	})
}

type verdictVerifyCommand struct {
	What string `arg:"" name:"file-or-number" help:"Its number, or a file as show writes it; - for standard input."`
	Keys string `type:"existingfile" placeholder:"FILE" help:"Public keys, as keys writes them or /api/v1/signing-keys has them: a file is then proved without the register."`
}

// Run proves it.
func (c *verdictVerifyCommand) Run(ctx context.Context, g *globals, env *environment) error {
	var r permit.Record
	if !permit.ValidNumber(c.What) {
		var err error
		if r, err = readRecord(env, c.What); err != nil {
			return err
		}
	}
	if c.Keys != "" {
		if r.Body == nil {
			return usageError{errors.New("--keys goes with a file")}
		}
		keys, err := readKeys(c.Keys)
		if err != nil {
			return err
		}
		return printProof(env, r, keys)
	}
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		var err error
		if r.Body == nil {
			if r, err = verdictOf(ctx, env, s, c.What); err != nil {
				return err
			}
		}
		keys, err := s.SigningKeys(ctx)
		if err != nil {
			return err
		}
		return printProof(env, r, keys)
	})
}

// readRecord reads a file that a verdict was written to.
func readRecord(env *environment, path string) (permit.Record, error) {
	var raw []byte
	var err error
	if path == "-" {
		raw, err = io.ReadAll(env.stdin)
	} else {
		raw, err = os.ReadFile(path)
	}
	if err != nil {
		return permit.Record{}, err
	}
	r, err := permit.ParseDocument(raw)
	if err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func readKeys(path string) ([]permit.SigningKey, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []permit.SigningKey `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return set.Keys, nil
}

// printProof says what the proof of a record has found.
func printProof(env *environment, r permit.Record, keys []permit.SigningKey) error {
	wrong := r.Verify(keys)
	for _, w := range wrong {
		fmt.Fprintln(env.stderr, "hatang:", w.In(env.language))
	}
	if len(wrong) > 0 {
		return errFindings
	}
	body, err := r.Read()
	if err != nil {
		return err
	}
	good := geo.Text{VI: "đúng như đã ký", EN: "is as it was signed"}
	_, err = fmt.Fprintln(env.stdout, body.Number, good.In(env.language))
	return err
}

type verdictReplayCommand struct {
	Number string `arg:"" help:"As V-2026-0123-4567-89AB."`
	JSON   bool   `name:"json" help:"Write the answer, too, as JSON."`
}

// Run makes it again.
func (c *verdictReplayCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		r, err := verdictOf(ctx, env, s, c.Number)
		if err != nil {
			return err
		}
		again, err := permit.NewRecorder(s, g.signer(), time.UTC).Replay(ctx, r)
		if err != nil {
			return err
		}
		said := geo.Text{VI: "kết luận như đã ghi nhận", EN: "the verdict is as it was recorded"}
		if !again.Same {
			said = geo.Text{VI: "kết luận khác với điều đã ghi nhận", EN: "the verdict is not as it was recorded"}
		}
		if c.JSON {
			err = writeJSON(env.stdout, again)
		} else {
			_, err = fmt.Fprintln(env.stdout, c.Number, said.In(env.language))
		}
		if err == nil && !again.Same {
			err = errFindings
		}
		return err
	})
}

type verdictKeysCommand struct{}

// Run writes the keys.
func (c *verdictKeysCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		keys, err := s.SigningKeys(ctx)
		if err != nil {
			return err
		}
		return writeJSON(env.stdout, map[string]any{"keys": keys})
	})
}

type verdictRotateCommand struct{}

// Run rotates.
func (c *verdictRotateCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(db *database, _ *postgis.Store) error {
		id, err := g.signer().rotate(ctx, env, db)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(env.stdout, id)
		return err
	})
}
