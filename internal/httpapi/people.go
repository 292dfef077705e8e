package httpapi

import (
	"errors"
	"net/http"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/account"
	"hatang/internal/layer"
)

func isNotFound(err error) bool { return errors.Is(err, layer.ErrNotFound) }

// faultsAt puts the faults of one value at the member that holds it.
func faultsAt(at string, err error) error {
	var invalid *layer.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	faults := append(layer.Faults{}, invalid.Faults...)
	for i := range faults {
		faults[i].At = at
	}
	return faultsProblem(invalidBody, faults)
}

// numberOf reads an id of the path; what is no id is not found.
func numberOf(r *request, name string) (int64, error) {
	id, err := strconv.ParseInt(r.param(name), 10, 64)
	if err != nil || id < 1 {
		return 0, layer.ErrNotFound
	}
	return id, nil
}

// numberIn reads a parameter that is an integer from 1 to the most; otherwise where it is
// not given.
func numberIn(r *request, name string, otherwise, most int64, faults *layer.Faults) int64 {
	if !r.values.Has(name) {
		return otherwise
	}
	n, err := strconv.ParseInt(r.values.Get(name), 10, 64)
	if err != nil || n < 1 || n > most {
		faults.Add(name, "%s phải là số nguyên từ 1 đến %d", "%s must be an integer from 1 to %d", name, most)
	}
	return n
}

// maxNameRunes is longer than the names of people, keys and organisations.
const maxNameRunes = 200

// nameOf returns a name in NFC and adds what is wrong with it.
func nameOf(at, s string, faults *layer.Faults) string {
	s = norm.NFC.String(strings.TrimSpace(s))
	if n := len([]rune(s)); n == 0 || n > maxNameRunes || !plainText(s) {
		faults.Add(at, "phải có từ 1 đến %d ký tự", "must have 1 to %d characters", maxNameRunes)
	}
	return s
}

// emailOf returns an address, "" for none, and adds what is wrong with it.
func emailOf(s string, faults *layer.Faults) string {
	if s = strings.TrimSpace(s); s == "" {
		return ""
	}
	if parsed, err := mail.ParseAddress(s); err != nil || parsed.Address != s || len(s) > maxNameRunes {
		faults.Add("/email", "không phải địa chỉ thư điện tử", "is no e-mail address")
	}
	return s
}

func (a *api) listPeople(w http.ResponseWriter, r *request) error {
	people, err := a.Accounts.People(r.Context())
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, map[string]any{"people": people})
}

func (a *api) showPerson(w http.ResponseWriter, r *request) error {
	id, err := numberOf(r, "personId")
	if err != nil {
		return err
	}
	person, err := a.Accounts.Person(r.Context(), id)
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, person)
}

func (a *api) addPerson(w http.ResponseWriter, r *request) error {
	var given struct {
		Login        string          `json:"login"`
		Name         string          `json:"name"`
		Email        string          `json:"email"`
		Organisation string          `json:"organisation"`
		Password     string          `json:"password"`
		Grants       []account.Grant `json:"grants"`
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	var faults layer.Faults
	login, err := account.NormaliseLogin(given.Login)
	if err != nil {
		faults.AddError("/login", err)
	}
	p := account.NewPerson{
		Login: login, Name: nameOf("/name", given.Name, &faults), Email: emailOf(given.Email, &faults),
		Organisation: given.Organisation, Grants: given.Grants,
	}
	if given.Password != "" {
		p.PasswordHash, err = a.hashPassword(r, "/password", given.Password, login)
		var wrong *problemError
		if errors.As(err, &wrong) {
			faults = append(faults, wrong.Faults...)
		} else if err != nil {
			return err
		}
	}
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	id, err := a.Accounts.AddPerson(r.Context(), r.viewer, p)
	if err != nil {
		return err
	}
	w.Header().Set("Location", a.href(r, "/people/"+strconv.FormatInt(id, 10), nil))
	return reply(w, r, http.StatusCreated, map[string]int64{"id": id})
}

func (a *api) changePerson(w http.ResponseWriter, r *request) error {
	var given struct {
		Name         *string `json:"name"`
		Email        *string `json:"email"`
		Organisation *string `json:"organisation"`
		Disabled     *bool   `json:"disabled"`
		Notices      *bool   `json:"notices"`
		Language     *string `json:"language"`
		Password     *string `json:"password"`
	}
	id, err := numberOf(r, "personId")
	if err != nil {
		return err
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	var faults layer.Faults
	change := account.PersonChange{Organisation: given.Organisation, Disabled: given.Disabled, Notices: given.Notices, Language: languageIn(given.Language, &faults)}
	if given.Name != nil {
		name := nameOf("/name", *given.Name, &faults)
		change.Name = &name
	}
	if given.Email != nil {
		email := emailOf(*given.Email, &faults)
		change.Email = &email
	}
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	if given.Password != nil {
		person, err := a.Accounts.Person(r.Context(), id)
		if err != nil {
			return err
		}
		hash, err := a.hashPassword(r, "/password", *given.Password, person.Login)
		if err != nil {
			return err
		}
		change.PasswordHash = &hash
	}
	if err := a.Accounts.ChangePerson(r.Context(), r.viewer, id, change); err != nil {
		return err
	}
	return done(w)
}

func (a *api) addGrant(w http.ResponseWriter, r *request) error {
	var given struct {
		Role      account.Role `json:"role"`
		Layers    []string     `json:"layers"`
		Territory string       `json:"territory"`
	}
	id, err := numberOf(r, "personId")
	if err != nil {
		return err
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	grant, err := a.Accounts.AddGrant(r.Context(), r.viewer, id, account.Grant{Role: given.Role, Layers: given.Layers, Territory: given.Territory})
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusCreated, map[string]int64{"id": grant})
}

func (a *api) withdrawGrant(w http.ResponseWriter, r *request) error {
	person, err := numberOf(r, "personId")
	if err != nil {
		return err
	}
	id, err := numberOf(r, "grantId")
	if err != nil {
		return err
	}
	if err := a.Accounts.WithdrawGrant(r.Context(), r.viewer, person, id); err != nil {
		return err
	}
	return done(w)
}

func (a *api) listKeys(w http.ResponseWriter, r *request) error {
	keys, err := a.Accounts.Keys(r.Context(), r.viewer)
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, map[string]any{"keys": keys})
}

// addKey makes a key, which this answer alone shows. A person's key is his own; an
// administrator makes keys of programs, too.
func (a *api) addKey(w http.ResponseWriter, r *request) error {
	var given struct {
		Name         string          `json:"name"`
		Grants       []account.Grant `json:"grants"`
		Organisation string          `json:"organisation"`
		ExpiresAt    *time.Time      `json:"expires_at"`
		Own          *bool           `json:"own"`
	}
	if !r.viewer.MayMakeKeys() {
		return problem(forbidden, "Khóa không tạo được khóa khác; hãy đăng nhập rồi tạo.", "A key makes no other; sign in to make one.")
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	var faults layer.Faults
	id, key := account.NewKey()
	k := account.NewKeyRecord{ID: id, Hash: account.Hash(key), Name: nameOf("/name", given.Name, &faults), Organisation: given.Organisation, Grants: given.Grants}
	if given.Own == nil || *given.Own {
		k.Person = r.viewer.Person
	}
	if k.Person != 0 {
		if given.Organisation != "" && given.Organisation != r.viewer.Organisation {
			faults.Add("/organisation", "khóa của một người thuộc tổ chức của người đó", "a person's key is of his organisation")
		}
		k.Organisation = r.viewer.Organisation
	}
	if len(given.Grants) == 0 {
		faults.Add("/grants", "phải có ít nhất một quyền", "at least one grant is needed")
	}
	if given.ExpiresAt != nil {
		if k.Expires = *given.ExpiresAt; !k.Expires.After(a.Now()) {
			faults.Add("/expires_at", "phải ở tương lai", "must be in the future")
		}
	}
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	if err := a.Accounts.AddKey(r.Context(), r.viewer, k); err != nil {
		return err
	}
	return reply(w, r, http.StatusCreated, map[string]string{"id": id, "key": key})
}

func (a *api) revokeKey(w http.ResponseWriter, r *request) error {
	if err := a.Accounts.RevokeKey(r.Context(), r.viewer, r.param("keyId")); err != nil {
		return err
	}
	return done(w)
}

func (a *api) listOrganisations(w http.ResponseWriter, r *request) error {
	list, err := a.Accounts.Organisations(r.Context())
	if err != nil {
		return err
	}
	return a.answer(w, r, typeJSON, map[string]any{"organisations": list})
}

func (a *api) addOrganisation(w http.ResponseWriter, r *request) error {
	var o account.Organisation
	if err := readDocument(w, r, &o); err != nil {
		return err
	}
	var faults layer.Faults
	o.Code = nameOf("/code", o.Code, &faults)
	o.Name.VI, o.Name.EN = nameOf("/name/vi", o.Name.VI, &faults), nameOf("/name/en", o.Name.EN, &faults)
	if o.Kind != "operator" && o.Kind != "agency" {
		faults.Add("/kind", "phải là operator hoặc agency", "must be operator or agency")
	}
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	if err := a.Accounts.AddOrganisation(r.Context(), r.viewer, o); err != nil {
		return err
	}
	return reply(w, r, http.StatusCreated, o)
}

func (a *api) listPublications(w http.ResponseWriter, r *request) error {
	list, err := a.Accounts.Publications(r.Context())
	if err != nil {
		return err
	}
	return a.answer(w, r, typeJSON, map[string]any{"publications": list})
}

// Bounds of the cells that places are rounded to, degrees: 11 m and 111 km.
const (
	leastCell = 0.0001
	mostCell  = 1.0
)

func (a *api) setPublication(w http.ResponseWriter, r *request) error {
	var given struct {
		Exactness   account.Exactness `json:"exactness"`
		CellDegrees *float64          `json:"cell_degrees"`
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	var faults layer.Faults
	switch rounded := given.Exactness == account.Rounded; {
	case !rounded && given.Exactness != account.Exact && given.Exactness != account.Hidden:
		faults.Add("/exactness", "phải là exact, rounded hoặc hidden", "must be exact, rounded or hidden")
	case rounded != (given.CellDegrees != nil):
		faults.Add("/cell_degrees", "đi cùng và chỉ đi cùng rounded", "goes with rounded, and with nothing else")
	case rounded && (*given.CellDegrees < leastCell || *given.CellDegrees > mostCell):
		faults.Add("/cell_degrees", "phải từ %v đến %v độ", "must be %v to %v degrees", leastCell, mostCell)
	}
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	p := account.Publication{Jurisdiction: r.param("code"), Exactness: given.Exactness, CellDegrees: given.CellDegrees}
	if err := a.Accounts.SetPublication(r.Context(), r.viewer, p); err != nil {
		return err
	}
	return done(w)
}

// Entries of a page of the audit.
const (
	defaultEntries = 100
	mostEntries    = 1000
)

// showAudit is a page of the audit, the newest entries first, and whether it is as it was
// written, as far as that is proved.
func (a *api) showAudit(w http.ResponseWriter, r *request) error {
	var faults layer.Faults
	limit, below := numberIn(r, "limit", defaultEntries, mostEntries, &faults), numberIn(r, "below", 0, 1<<62, &faults)
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	page, err := a.Accounts.AuditEntries(r.Context(), below, int(limit))
	if err != nil {
		return err
	}
	document := map[string]any{"intact": page.FirstBroken == 0, "first_broken": nil, "proved_to": page.ProvedTo, "entries": page.Entries}
	if page.FirstBroken != 0 {
		document["first_broken"] = page.FirstBroken
	}
	return reply(w, r, http.StatusOK, document)
}
