package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Notices are what people and programs are told of proposals and of requests to share. Every method is for
// administrators alone.
type Notices interface {
	// SentNotices returns what has become of notices, the newest first.
	SentNotices(ctx context.Context, v account.Viewer, q permit.NoticeQuery) ([]permit.SentNotice, error)
	// SendNoticeAgain has one that has failed sent again; ErrNotFound, ErrConflict.
	SendNoticeAgain(ctx context.Context, v account.Viewer, id int64) error
	// Webhooks returns where programs of organisations are told.
	Webhooks(ctx context.Context, v account.Viewer) ([]account.Webhook, error)
	// SetWebhook says where programs of an organisation are told; ErrNotFound.
	SetWebhook(ctx context.Context, v account.Viewer, organisation, url string, secret []byte) error
	// RemoveWebhook has them told nothing any more; ErrNotFound.
	RemoveWebhook(ctx context.Context, v account.Viewer, organisation string) error
}

// Limits of webhooks.
const (
	secretBytes     = 32
	maxWebhookBytes = 2000 // of an address
)

// listNotices lists what has become of notices, the newest first.
func (a *api) listNotices(w http.ResponseWriter, r *request) error {
	var faults layer.Faults
	q := permit.NoticeQuery{State: permit.NoticeState(r.values.Get("state")), After: numberIn(r, "after", 0, 1<<62, &faults), Limit: int(numberIn(r, "limit", defaultConsultations, mostConsultations, &faults))}
	if r.values.Has("state") && !slices.Contains(permit.NoticeStates(), q.State) {
		faults.Add("state", "state phải là một trong: %s", "state must be one of: %s", joined(permit.NoticeStates()))
	}
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	limit := q.Limit
	q.Limit++ // whether there are more
	found, err := a.Accounts.SentNotices(r.Context(), r.viewer, q)
	if err != nil {
		return err
	}
	found, links := pageOf(a, r, "/notices", found, limit, func(n permit.SentNotice) string { return strconv.FormatInt(n.ID, 10) })
	return reply(w, r, http.StatusOK, map[string]any{"notices": found, "links": links})
}

// sendNoticeAgain has a notice that has failed sent again.
func (a *api) sendNoticeAgain(w http.ResponseWriter, r *request) error {
	id, err := numberOf(r, "noticeId")
	if err != nil {
		return err
	}
	err = a.Accounts.SendNoticeAgain(r.Context(), r.viewer, id)
	if errors.Is(err, layer.ErrConflict) {
		return problem(conflict, "Chỉ thông báo gửi không thành mới gửi lại được.", "Only a notice that has failed is sent again.")
	}
	if err != nil {
		return err
	}
	return done(w)
}

func (a *api) listWebhooks(w http.ResponseWriter, r *request) error {
	list, err := a.Accounts.Webhooks(r.Context(), r.viewer)
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, map[string]any{"webhooks": list})
}

// setWebhook keeps an address and makes its secret, which this answer alone shows. That the
// address is a public one is looked at whenever something is sent: names change.
func (a *api) setWebhook(w http.ResponseWriter, r *request) error {
	var given struct {
		URL string `json:"url"`
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	address, err := url.Parse(given.URL)
	if err != nil || address.Scheme != "https" || address.Hostname() == "" || address.User != nil || address.Fragment != "" || len(given.URL) > maxWebhookBytes || !plainText(given.URL) {
		var faults layer.Faults
		faults.Add("/url", "phải là địa chỉ https, không có tên đăng nhập hay dấu #, dài nhất %d byte", "must be an https address without a user or a fragment, of at most %d bytes", maxWebhookBytes)
		return faultsProblem(invalidBody, faults)
	}
	organisation := r.param("organisation")
	if !plainText(organisation) {
		return layer.ErrNotFound
	}
	secret := make([]byte, secretBytes)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	if err := a.Accounts.SetWebhook(r.Context(), r.viewer, organisation, "https"+given.URL[len("https"):], secret); err != nil { // HTTPS is https
		return err
	}
	return reply(w, r, http.StatusOK, map[string]string{"secret": base64.StdEncoding.EncodeToString(secret)})
}

func (a *api) removeWebhook(w http.ResponseWriter, r *request) error {
	organisation := r.param("organisation")
	if !plainText(organisation) {
		return layer.ErrNotFound
	}
	if err := a.Accounts.RemoveWebhook(r.Context(), r.viewer, organisation); err != nil {
		return err
	}
	return done(w)
}

// languageIn checks the language of notices, nil for one that is not given.
func languageIn(language *string, faults *layer.Faults) *string {
	if language != nil && !isLanguage(*language) {
		faults.Add("/language", "phải là vi hoặc en", "must be vi or en")
	}
	return language
}

// changeNotices says whether who is signed in is sent notices, and in which language. The
// address is for administrators to change: single sign-on knows people by it.
func (a *api) changeNotices(w http.ResponseWriter, r *request) error {
	var given struct {
		On       *bool   `json:"on"`
		Language *string `json:"language"`
	}
	s := r.who.session
	if s == nil {
		return problem(forbidden, "Chỉ người đã đăng nhập mới đổi được việc nhận thông báo của mình.", "Only a person who has signed in says what notices he is sent.")
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	var faults layer.Faults
	change := account.PersonChange{Notices: given.On, Language: languageIn(given.Language, &faults)}
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	if err := a.Accounts.ChangePerson(r.Context(), r.viewer, s.Person, change); err != nil {
		return err
	}
	return done(w)
}
