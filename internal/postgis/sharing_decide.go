package postgis

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// DecideShare takes one step on a request and returns its state and revision afterwards.
// layer.ErrNotFound where the viewer has nothing to do with it; layer.ErrForbidden where the
// step is for others; layer.ErrConflict where the state has no such step, as
// *permit.RefusedError where something else stands in the way; layer.ErrStale at another
// revision than that which it is decided on, and so for all but one of those who decide at
// once; *layer.InvalidError for an agreement that is none between the parties.
func (s *Store) DecideShare(ctx context.Context, v account.Viewer, number string, d permit.ShareDecision) (state permit.ShareState, revision int64, err error) {
	err = s.write(ctx, v, "decide on the request to share", func(tx pgx.Tx) error {
		if _, err := seeShare(ctx, tx, v, number, d.Today); err != nil {
			return err
		}
		// As with proposals: the serving role cannot lock the row.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('sharing:' || $1, 0))", number); err != nil {
			return err
		}
		r, err := seeShare(ctx, tx, v, number, d.Today)
		if err != nil {
			return err
		}
		if r.Parties, err = shareParties(ctx, tx, v, r); err != nil {
			return err
		}
		if d.Revision != 0 && d.Revision != r.Revision {
			return fmt.Errorf("the request %s is at revision %d: %w", number, r.Revision, layer.ErrStale)
		}
		next := shareStep{ShareDecision: d, revision: r.Revision + 1}
		if next.party, state, err = permit.NextShare(r.State, d.Action, r.Parties); err != nil {
			return err
		}
		calendar, err := sharingCalendar(ctx, tx, number)
		if err != nil {
			return err
		}
		revision, next.due = next.revision, calendar.DueShare(state, d.Today)
		if err := s.prepareShare(ctx, tx, v, r, &next); err != nil {
			return err
		}
		return takeShareStep(ctx, tx, v, number, next)
	})
	return state, revision, err
}

// prepareShare completes a step, or refuses it.
func (s *Store) prepareShare(ctx context.Context, tx pgx.Tx, v account.Viewer, r *seenShare, next *shareStep) error {
	var faults layer.Faults
	switch next.Action {
	case permit.ShareMediate:
		if r.State == permit.ShareAsked && !r.Overdue {
			return refusedShare("Chưa hết hạn trả lời: %[1]s.", "There is time to answer until %[2]s.", r.DueOn.Text().VI, r.DueOn.Text().EN)
		}
	case permit.ShareAccept, permit.ShareDecline:
		for _, p := range r.Partners {
			if p.Organisation == v.Organisation && !p.AnsweredOn.IsZero() {
				return refusedShare("Đơn vị bạn đã trả lời ngày %[1]s.", "Your organisation answered on %[2]s.", p.AnsweredOn.Text().VI, p.AnsweredOn.Text().EN)
			}
		}
		if r.Feature != nil && !next.Capacity.Said() {
			faults.Add("/capacity", "phải nêu còn bao nhiêu: places, height_m, load_kg, fibres, ways hoặc poles", "must say what there is room for: places, height_m, load_kg, fibres, ways or poles")
		}
	case permit.ShareAgree:
		if next.party == permit.ShareAsker {
			if err := s.takeOffer(ctx, tx, r, next); err != nil {
				return err
			}
		}
	}
	if a := next.Agreement; a != nil {
		faults = append(faults, a.Faults("/agreement", r.Between())...)
	} else if next.Action == permit.ShareAccept || next.Action == permit.ShareAgree {
		faults.Add("/agreement", "bắt buộc phải có ở bước này", "is needed in this step")
	}
	faults = append(faults, next.TimeFaults(next.party, r.AskedOn)...)
	if err := faults.Err(); err != nil || next.Action != permit.ShareAgree || r.Feature == nil || r.Collection != "bts_sites" {
		return err
	}
	var err error
	next.position, err = s.takePlace(ctx, tx, r, next)
	return err
}

func refusedShare(vi, en string, args ...any) error {
	return &permit.RefusedError{Detail: geo.Text{VI: fmt.Sprintf(vi, args...), EN: fmt.Sprintf(en, args...)}}
}

// takeOffer makes what the partners have offered the agreement.
func (s *Store) takeOffer(ctx context.Context, tx pgx.Tx, r *seenShare, next *shareStep) error {
	if next.Agreement != nil {
		var faults layer.Faults
		faults.Add("/agreement", "bạn đồng ý với điều đã được đề xuất; thoả thuận khác do sở ghi nhận", "you agree to what was offered; another agreement is recorded by the department")
		return faults.Err()
	}
	for _, p := range r.Partners {
		if p.AnsweredOn.IsZero() {
			return refusedShare("%s chưa trả lời.", "%s has not answered.", p.Organisation)
		}
	}
	rows, err := tx.Query(ctx, "SELECT DISTINCT agreement FROM sharing_steps WHERE request = $1 AND action = 'accept'", r.Number)
	if err != nil {
		return err
	}
	offers, err := pgx.CollectRows(rows, pgx.RowTo[permit.Agreement])
	if err != nil {
		return err
	}
	if len(offers) != 1 {
		return refusedShare("Các bên đề xuất khác nhau; hãy đề nghị hoà giải.", "The offers differ; ask for mediation.")
	}
	next.Agreement = &offers[0]
	return nil
}

// takePlace makes the operator position of an agreement on a mast: as an officer would write
// it, by the rules of the layer and with its history. It stands, or is planned, as the mast
// is, from when on it is shared.
//
// Decided: the agreement is the right to it; the asker writes drafts alone.
func (s *Store) takePlace(ctx context.Context, tx pgx.Tx, r *seenShare, next *shareStep) (int64, error) {
	from := next.Today
	if !next.Agreement.From.IsZero() {
		from = next.Agreement.From
	}
	switch there, err := onMast(ctx, tx, r.Collection, *r.Code, r.Asker, from); {
	case err != nil:
		return 0, err
	case there:
		return 0, refusedShare("%s đã có mặt trên cột %s.", "%s is on the mast %s already.", r.Asker, *r.Code)
	}
	var wanted permit.Wanted
	if err := tx.QueryRow(ctx, "SELECT wanted FROM sharing_requests WHERE number = $1", r.Number).Scan(&wanted); err != nil {
		return 0, err
	}
	id, err := s.stand(ctx, tx, *r.Code, r.Asker, from, "Thoả thuận dùng chung", wanted.Technologies)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, refusedShare("Ngày %[1]s không có cột %[3]s.", "There is no mast %[3]s on %[2]s.", from.Text().VI, from.Text().EN, *r.Code)
	}
	return id, err
}

var errNoPositions = errors.New("the registry has no layer operator_positions")

// stand makes the position of an operator on the mast of a code from a day on; pgx.ErrNoRows
// where no mast of the code is in force then.
func (s *Store) stand(ctx context.Context, tx pgx.Tx, code, operator string, from geo.Date, source string, technologies []string) (int64, error) {
	positions, known := s.layers.Get("operator_positions")
	if !known {
		return 0, errNoPositions
	}
	f, err := placeOn(ctx, tx, code, from)
	if err != nil {
		return 0, err
	}
	p := f.Properties
	p["code"], p["owner_organisation"], p["operator"], p["source"] = code+"-"+operator, operator, operator, source
	if len(technologies) > 0 {
		p["technologies"] = technologies
	}
	if err := positions.CheckNew(f).Err(); err != nil {
		return 0, fmt.Errorf("the position on the mast: %w: %w", layer.ErrConflict, err)
	}
	return addRow(ctx, tx, positions, f)
}

// placeOn is what a mast gives to a position on it from a day on; pgx.ErrNoRows where no mast
// of the code is in force then.
func placeOn(ctx context.Context, tx pgx.Tx, code string, from geo.Date) (f layer.Feature, err error) {
	var status, jurisdiction string
	var phase *string
	var illustrative bool
	var accuracy *float64
	var ends day
	var raw []byte
	c := &conditions{}
	c.inForce(from)
	c.add("code = %s AND status <> %s", c.bind(code), c.bind(layer.Draft))
	if err := tx.QueryRow(ctx, `SELECT status, phase, jurisdiction, illustrative, accuracy_m, ST_AsEWKB(geom),
			(SELECT nullif(max(coalesce(o.valid_to, 'infinity')), 'infinity') FROM bts_sites o WHERE o.code = t.code AND o.status <> 'draft')
		FROM bts_sites t`+c.where()+" FOR SHARE", c.args...).Scan(&status, &phase, &jurisdiction, &illustrative, &accuracy, &raw, &ends); err != nil {
		return f, err
	}
	f.Properties = map[string]any{"site_code": code, "valid_from": from, "status": status, "jurisdiction": jurisdiction, "illustrative": illustrative}
	if phase != nil {
		f.Properties["phase"] = *phase
	}
	if accuracy != nil {
		f.Properties["accuracy_m"] = *accuracy
	}
	if !ends.IsZero() {
		f.Properties["valid_to"] = ends.Date
	}
	f.Geometry, err = decode2D(raw)
	return f, err
}

// SharingFigures counts all requests to share, for everyone: without names, but where the
// plan of the place lets the figures have them. Cost: a reading of all requests.
func (s *Store) SharingFigures(ctx context.Context) ([]permit.SharingFigures, error) {
	rows, err := s.pool.Query(ctx, `SELECT r.state, r.asked_on, r.answered_on, ARRAY(SELECT p.organisation FROM sharing_partners p WHERE p.request = r.number), p.settings
		FROM sharing_requests r LEFT JOIN (SELECT DISTINCT ON (jurisdiction) jurisdiction, `+calendarSQL+` AS settings FROM plans p ORDER BY jurisdiction, valid_from DESC, id) p USING (jurisdiction)`)
	if err != nil {
		return nil, translate("count the requests to share", err)
	}
	calendars := map[string]permit.Calendar{}
	var counts []permit.SharedCount
	var state permit.ShareState
	var asked, answered day
	var partners []string
	var settings []byte
	_, err = pgx.ForEachRow(rows, []any{&state, &asked, &answered, &partners, &settings}, func() error {
		calendar, known := calendars[string(settings)]
		if !known {
			var err error
			if calendar, err = permit.ParseCalendar(settings); err != nil {
				return err
			}
			calendars[string(settings)] = calendar
		}
		count := permit.SharedCount{Year: asked.Time().Year(), Owners: partners, Named: calendar.NamesOwners, State: state}
		if !answered.IsZero() {
			days := calendar.Between(asked.Date, answered.Date)
			count.AnswerDays = &days
		}
		counts = append(counts, count)
		partners, settings = nil, nil
		return nil
	})
	return permit.CountShared(counts), translate("count the requests to share", err)
}
