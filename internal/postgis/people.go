package postgis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/memory"
)

// SessionViewer returns who is signed in with a session's token; layer.ErrNotFound for
// one that is unknown, over, or of a person who is disabled. Cost: as KeyViewer.
func (s *Store) SessionViewer(ctx context.Context, token string) (account.Session, error) {
	holder, err := s.SessionHolder(ctx, string(account.Hash(token)))
	return holder.Of, err
}

// SessionHolder is SessionViewer by the token's hash, and says of which state of the database it
// speaks.
func (s *Store) SessionHolder(ctx context.Context, hash string) (memory.Holder[account.Session], error) {
	return holder(ctx, &s.sessionsAsked, "look up the session", hash, s.lookUpSessions)
}

// lookUpSessions answers questions for sessions. Nobody changes what several are told.
func (s *Store) lookUpSessions(ctx context.Context, questions []*lookUp[string, *memory.Holder[account.Session]]) error {
	return answerByHash(ctx, s, questions, `SELECT s.hash, `+fmt.Sprintf(asOf, "s.expires_at")+`, p.id, p.login, p.name, coalesce(p.organisation, ''), s.expires_at, coalesce(p.email, ''), p.notices, p.language, `+fmt.Sprintf(grantsOf, "person", "p.id")+`
		FROM sessions s JOIN people p ON p.id = s.person
		WHERE s.hash = $1 AND s.ended_at IS NULL AND s.expires_at > now() AND p.disabled_at IS NULL`,
		func(o *account.Session, row pgx.Rows, state ...any) error {
			err := row.Scan(append(state, &o.Person, &o.Login, &o.PersonName, &o.Organisation, &o.ExpiresAt, &o.Email, &o.Notices, &o.Language, &o.Grants)...)
			o.Name = "person:" + o.Login
			return err
		})
}

// Credentials returns what a sign-in is checked against, and whether the person has signed
// in from the network ("" for none) within 30 days; for an unknown login what matches
// nothing.
func (s *Store) Credentials(ctx context.Context, login, network string) (account.Credentials, error) {
	var c account.Credentials
	err := s.pool.kept.QueryRow(ctx, `SELECT id, coalesce(password, ''), disabled_at IS NOT NULL,
			EXISTS (SELECT FROM sessions s WHERE s.person = p.id AND s.network = nullif($2, '')::cidr AND s.started_at > now() - interval '30 days')
		FROM people p WHERE login = $1`, login, network).Scan(&c.Person, &c.PasswordHash, &c.Disabled, &c.AtHome)
	if errors.Is(err, pgx.ErrNoRows) {
		return account.Credentials{}, nil
	}
	return c, translate("look up the person", err)
}

// Homes returns accounts and networks in which they have signed in within some time, the
// latest first, so many at most; some of them twice. Cost: as many rows of an index.
func (s *Store) Homes(ctx context.Context, within time.Duration, most int) ([]account.Attempt, error) {
	rows, err := s.pool.kept.Query(ctx, `SELECT p.login, s.network::text, true FROM sessions s JOIN people p ON p.id = s.person
		WHERE s.started_at > now() - $1::interval AND s.network IS NOT NULL ORDER BY s.started_at DESC LIMIT $2`, within, most)
	if err != nil {
		return nil, translate("list where people sign in from", err)
	}
	homes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[account.Attempt])
	return homes, translate("list where people sign in from", err)
}

// BeginSignIn counts an attempt to sign in, before the password is looked at, and returns
// its number. Where too many have failed it counts nothing, and returns which limits
// refuse it. Cost: three look-ups; for one that is let pass a lock on its network and its
// account, a row, and the removal of some that count no more; for one that the account's
// limit refuses the account's sessions of thirty days.
func (s *Store) BeginSignIn(ctx context.Context, a account.Attempt) (attempt int64, refused account.Refusal, err error) {
	var number *int64
	var pair, network, whole *float64
	err = s.pool.kept.QueryRow(ctx, `SELECT attempt, extract(epoch FROM pair_until - clock_timestamp())::float8, extract(epoch FROM network_until - clock_timestamp())::float8,
			extract(epoch FROM account_until - clock_timestamp())::float8, homes
		FROM hatang_sign_in_begin($1, $2, $3, $4, $5, $6, $7)`,
		a.Login, a.Network, a.AtHome, account.FailureSpan, account.FailuresOfPair, account.FailuresOfNetwork, account.FailuresOfAccount).
		Scan(&number, &pair, &network, &whole, &refused.Homes)
	if err != nil {
		return 0, account.Refusal{}, translate("count the attempt to sign in", err)
	}
	refused.Pair, refused.Network, refused.Account = waitOf(pair), waitOf(network), waitOf(whole)
	if number != nil {
		attempt = *number
	}
	return attempt, refused, nil
}

// waitOf is a time to wait: at least a moment, and none where there is none.
func waitOf(seconds *float64) time.Duration {
	if seconds == nil {
		return 0
	}
	return max(1, time.Duration(*seconds*float64(time.Second)))
}

// EndSignIn says of an attempt that it does not count: it succeeded, and then the account's
// earlier failures from the network are forgiven, or its password was not looked at.
// One that is never ended counts as a failure. Ending one again does nothing.
func (s *Store) EndSignIn(ctx context.Context, attempt int64, succeeded bool) error {
	_, err := s.pool.kept.Exec(ctx, "SELECT hatang_sign_in_end($1, $2)", attempt, succeeded)
	return translate("end the attempt to sign in", err)
}

// StartSession signs a person in; layer.ErrNotFound for one who is disabled, or whose
// password is another by now.
func (s *Store) StartSession(ctx context.Context, n account.NewSession) error {
	return translate("start the session", pgx.BeginFunc(ctx, s.pool.kept, func(tx pgx.Tx) error {
		var login string
		if err := tx.QueryRow(ctx, "SELECT login FROM people WHERE id = $1 AND disabled_at IS NULL AND ($2 = '' OR password = $2) FOR SHARE", n.Person, n.PasswordHash).Scan(&login); err != nil {
			return err
		}
		if err := sign(ctx, tx, "person:"+login); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO sessions (hash, person, address, expires_at) VALUES ($1, $2, $3, $4)", account.Hash(n.Token), n.Person, n.Address, n.Expires)
		return err
	}))
}

// EndSession signs a person out.
func (s *Store) EndSession(ctx context.Context, v account.Viewer, token string) error {
	return s.write(ctx, v, "end the session", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE sessions SET ended_at = now() WHERE hash = $1 AND ended_at IS NULL", account.Hash(token))
		return err
	})
}

// PersonOfIdentity returns the person who is the subject to the issuer. One who signs in
// so for the first time is found by an e-mail address that the issuer has verified.
// layer.ErrNotFound where there is none, or he is disabled.
func (s *Store) PersonOfIdentity(ctx context.Context, issuer, subject, verifiedEmail string) (person int64, err error) {
	err = s.write(ctx, account.Viewer{Name: "oidc:" + issuer}, "look up the identity", func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, "SELECT p.id FROM identities i JOIN people p ON p.id = i.person WHERE i.issuer = $1 AND i.subject = $2 AND p.disabled_at IS NULL", issuer, subject).Scan(&person)
		if !errors.Is(err, pgx.ErrNoRows) || verifiedEmail == "" {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT id FROM people p WHERE lower(email) = lower($1) AND disabled_at IS NULL
			AND NOT EXISTS (SELECT FROM identities i WHERE i.issuer = $2 AND (i.person = p.id OR i.subject = $3))`, verifiedEmail, issuer, subject).Scan(&person); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO identities (issuer, subject, person) VALUES ($1, $2, $3)", issuer, subject, person)
		return err
	})
	return person, err
}

const peopleSQL = `SELECT p.id, p.login, p.name, coalesce(p.email, ''), coalesce(p.organisation, ''), p.disabled_at, p.notices, p.language, %s FROM people p`

// People returns everybody who may sign in or could, by login.
func (s *Store) People(ctx context.Context) ([]account.Person, error) {
	rows, err := s.pool.kept.Query(ctx, fmt.Sprintf(peopleSQL, fmt.Sprintf(grantsOf, "person", "p.id"))+" ORDER BY p.login")
	if err != nil {
		return nil, translate("list the people", err)
	}
	people, err := pgx.CollectRows(rows, pgx.RowToStructByPos[account.Person])
	return people, translate("list the people", err)
}

// Person returns one person; layer.ErrNotFound.
func (s *Store) Person(ctx context.Context, id int64) (account.Person, error) {
	rows, err := s.pool.kept.Query(ctx, fmt.Sprintf(peopleSQL, fmt.Sprintf(grantsOf, "person", "p.id"))+" WHERE p.id = $1", id)
	if err != nil {
		return account.Person{}, translate("look up the person", err)
	}
	person, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[account.Person])
	return person, translate("look up the person", err)
}

// administers is layer.ErrForbidden for those who keep no people and settings.
func administers(v account.Viewer) error {
	if !v.Administers() {
		return fmt.Errorf("%s is no administrator: %w", v.Name, layer.ErrForbidden)
	}
	return nil
}

// AddPerson keeps a person; layer.ErrConflict where the login or e-mail is taken.
func (s *Store) AddPerson(ctx context.Context, v account.Viewer, p account.NewPerson) (id int64, err error) {
	if err := administers(v); err != nil {
		return 0, err
	}
	err = s.write(ctx, v, "keep the person", func(tx pgx.Tx) error {
		if err := checkGrants(ctx, tx, s.layers, p.Organisation, p.Grants); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `INSERT INTO people (login, name, email, organisation, password)
			VALUES ($1, $2, nullif($3, ''), nullif($4, ''), nullif($5, '')) RETURNING id`, p.Login, p.Name, p.Email, p.Organisation, p.PasswordHash).Scan(&id); err != nil {
			return err
		}
		for _, g := range p.Grants {
			if _, err := addGrant(ctx, tx, "person", id, g); err != nil {
				return err
			}
		}
		return nil
	})
	return id, err
}

// ChangePerson changes what is given of a person. A new password, or being disabled,
// ends the sessions. Others than administrators may change their own password, and what
// notices they are sent, alone.
func (s *Store) ChangePerson(ctx context.Context, v account.Viewer, id int64, c account.PersonChange) error {
	own := id == v.Person && c.Name == nil && c.Email == nil && c.Organisation == nil && c.Disabled == nil
	if err := administers(v); err != nil && !own {
		return err
	}
	return s.write(ctx, v, "change the person", func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT id FROM people WHERE id = $1 FOR UPDATE", id).Scan(&id); err != nil {
			return err
		}
		if c.Organisation != nil {
			if err := checkGrants(ctx, tx, s.layers, *c.Organisation, nil); err != nil {
				return err
			}
		}
		if c.PasswordHash != nil {
			// Who is disabled loses his by people_end_access.
			// Before the first entry of the audit, for which signing out waits with its session in hand.
			if _, err := tx.Exec(ctx, "UPDATE sessions SET ended_at = now() WHERE person = $1 AND ended_at IS NULL AND hash IS DISTINCT FROM $2", id, c.KeepSession); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE people SET name = coalesce($2, name),
				email = CASE WHEN $3::text IS NULL THEN email ELSE nullif($3, '') END,
				organisation = CASE WHEN $4::text IS NULL THEN organisation ELSE nullif($4, '') END,
				password = coalesce($5, password),
				disabled_at = CASE WHEN $6::boolean IS NULL THEN disabled_at WHEN $6 THEN coalesce(disabled_at, now()) END,
				notices = coalesce($7, notices), language = coalesce($8, language)
			WHERE id = $1`, id, c.Name, c.Email, c.Organisation, c.PasswordHash, c.Disabled, c.Notices, c.Language)
		return err
	})
}

// AddGrant gives a person a grant and returns its id.
func (s *Store) AddGrant(ctx context.Context, v account.Viewer, person int64, g account.Grant) (id int64, err error) {
	if err := administers(v); err != nil {
		return 0, err
	}
	err = s.write(ctx, v, "give the grant", func(tx pgx.Tx) error {
		var organisation string
		if err := tx.QueryRow(ctx, "SELECT coalesce(organisation, '') FROM people WHERE id = $1 FOR UPDATE", person).Scan(&organisation); err != nil {
			return err
		}
		if err := checkGrants(ctx, tx, s.layers, organisation, []account.Grant{g}); err != nil {
			return err
		}
		id, err = addGrant(ctx, tx, "person", person, g)
		return err
	})
	return id, err
}

// WithdrawGrant takes a grant from a person, and with it from his keys;
// layer.ErrNotFound where he has none of that id.
func (s *Store) WithdrawGrant(ctx context.Context, v account.Viewer, person, id int64) error {
	if err := administers(v); err != nil {
		return err
	}
	return s.write(ctx, v, "withdraw the grant", func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "UPDATE grants SET withdrawn_at = now() WHERE id = $1 AND person = $2 AND withdrawn_at IS NULL RETURNING id", id, person).Scan(&id)
	})
}

// Organisations returns operators and agencies by code.
func (s *Store) Organisations(ctx context.Context) ([]account.Organisation, error) {
	rows, err := s.pool.kept.Query(ctx, "SELECT code, kind, name FROM organisations ORDER BY code")
	if err != nil {
		return nil, translate("list the organisations", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[account.Organisation])
	return list, translate("list the organisations", err)
}

// AddOrganisation keeps an organisation; layer.ErrConflict where the code is taken.
func (s *Store) AddOrganisation(ctx context.Context, v account.Viewer, o account.Organisation) error {
	if err := administers(v); err != nil {
		return err
	}
	return s.write(ctx, v, "keep the organisation", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO organisations (code, kind, name) VALUES ($1, $2, $3)", o.Code, o.Kind, o.Name)
		return err
	})
}

// Publications returns what each province lets the public see of its sites.
func (s *Store) Publications(ctx context.Context) ([]account.Publication, error) {
	rows, err := s.pool.kept.Query(ctx, `SELECT code, coalesce(p.exactness, 'exact'), p.cell_degrees
		FROM (SELECT DISTINCT code FROM provinces UNION SELECT jurisdiction FROM publications) u (code)
		LEFT JOIN publications p ON p.jurisdiction = u.code ORDER BY code`)
	if err != nil {
		return nil, translate("list how sites are published", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[account.Publication])
	return list, translate("list how sites are published", err)
}

// SetPublication says how exactly the public sees the sites of a province.
func (s *Store) SetPublication(ctx context.Context, v account.Viewer, p account.Publication) error {
	if err := administers(v); err != nil {
		return err
	}
	return s.write(ctx, v, "set how sites are published", func(tx pgx.Tx) error {
		var known bool
		if err := tx.QueryRow(ctx, "SELECT true FROM provinces WHERE code = $1 LIMIT 1", p.Jurisdiction).Scan(&known); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO publications (jurisdiction, exactness, cell_degrees) VALUES ($1, $2, $3)
			ON CONFLICT (jurisdiction) DO UPDATE SET exactness = excluded.exactness, cell_degrees = excluded.cell_degrees`, p.Jurisdiction, string(p.Exactness), p.CellDegrees)
		return err
	})
}
