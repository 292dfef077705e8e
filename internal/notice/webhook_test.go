package notice_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hatang/internal/notice"
	"hatang/internal/permit"
)

// program is that of an organisation: it looks at signatures as their description says.
type program struct {
	*httptest.Server
	secret []byte
	status int
	got    []string // bodies that were signed, and by which notice
	bad    []string
}

func newProgram(t *testing.T) *program {
	t.Helper()
	p := &program{secret: []byte(strings.Repeat("k", 32)), status: http.StatusNoContent}
	p.Server = httptest.NewTLSServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *program) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.bad = append(p.bad, err.Error())
	}
	seconds, signature, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Hatang-Signature"), "t="), ",v1=")
	mac := hmac.New(sha256.New, p.secret)
	fmt.Fprintf(mac, "%s.%s", seconds, body)
	if hex.EncodeToString(mac.Sum(nil)) != signature || seconds != "1796000000" || r.Method != http.MethodPost {
		p.bad = append(p.bad, fmt.Sprint(r.Method, r.Header, string(body)))
	}
	p.got = append(p.got, r.Header.Get("Hatang-Notice")+string(body))
	w.Header().Set("Location", "/elsewhere")
	w.WriteHeader(p.status)
}

// hooks are webhooks that may have the program's address, or not.
func (p *program) hooks(networks ...string) *notice.Webhooks {
	h := &notice.Webhooks{Roots: x509.NewCertPool(), Now: func() time.Time { return time.Unix(1796000000, 5) }}
	h.Roots.AddCert(p.Certificate())
	for _, n := range networks {
		h.Networks = append(h.Networks, netip.MustParsePrefix(n))
	}
	return h
}

func hooked(url string, secret []byte) *permit.Notice {
	n := told()
	n.Mail, n.Hook = nil, &permit.NoticeHook{Organisation: "VNPT", URL: url, Secret: secret}
	return n
}

func TestWebhooksAreSigned(t *testing.T) {
	p := newProgram(t)
	h := p.hooks("127.0.0.0/8")
	if err := h.Send(t.Context(), hooked(p.URL+"/x?y=1", p.secret)); err != nil || len(p.bad) > 0 || len(p.got) != 1 {
		t.Fatalf("%v; %q, bad: %q", err, p.got, p.bad)
	}
	id := told().Message
	var got struct {
		ID, Kind, Organisation string
		Proposal               struct {
			ID    int64
			State string
			DueOn string `json:"due_on"`
		}
		Text struct{ VI, EN string }
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(p.got[0], id)), &got); err != nil || got.ID != id || got.Kind != "more_asked" || got.Organisation != "VNPT" || got.Proposal.ID != 7 ||
		got.Proposal.State != "more_asked" || got.Proposal.DueOn != "2026-12-24" || !strings.Contains(got.Text.VI, "chờ bổ sung") || !strings.Contains(got.Text.EN, "more asked") {
		t.Errorf("%+v, %v", got, err)
	}
	p.got = nil
	n := toldOfSharing()
	n.Hook = &permit.NoticeHook{Organisation: "VIETTEL", URL: p.URL, Secret: p.secret}
	var sharing struct {
		Kind     string
		Proposal any
		Request  struct {
			Number, Asker, Code, State string
			Partners                   []string
		} `json:"sharing_request"`
	}
	if err := h.Send(t.Context(), n); err != nil || len(p.got) != 1 {
		t.Fatalf("%v; %q", err, p.got)
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(p.got[0], id)), &sharing); err != nil || sharing.Kind != "sharing_declined" || sharing.Proposal != nil ||
		fmt.Sprint(sharing.Request) != "{S-2026-0000-0000-0000 VIETTEL DB-17 declined [VNPT]}" {
		t.Errorf("%+v, %v", sharing, err)
	}
	if err := h.Send(t.Context(), hooked(p.URL, []byte("another secret"))); err != nil || len(p.bad) != 1 {
		t.Errorf("the program does not tell another secret: %v, %q", err, p.bad)
	}
	for _, status := range []int{301, 307, 308, 400, 410, 500} {
		p.got, p.status = nil, status
		if err := h.Send(t.Context(), hooked(p.URL, p.secret)); err == nil || !strings.Contains(err.Error(), fmt.Sprint(status)) || len(p.got) != 1 {
			t.Errorf("%d: %v, %d requests", status, err, len(p.got))
		}
	}
}

// No webhook reaches what only the server itself could reach.
func TestWebhooksGoToPublicAddresses(t *testing.T) {
	p := newProgram(t)
	if err := p.hooks().Send(t.Context(), hooked(p.URL+"/?token=s3cret", p.secret)); err == nil || !strings.Contains(err.Error(), "public") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("its own machine: %v", err)
	}
	if err := p.hooks("127.0.0.0/8").Send(t.Context(), hooked(strings.Replace(p.URL, "https:", "http:", 1), p.secret)); err == nil {
		t.Error("in plain text")
	}
	if err := (&notice.Webhooks{Networks: p.hooks("127.0.0.0/8").Networks, Now: time.Now}).Send(t.Context(), hooked(p.URL, p.secret)); err == nil {
		t.Error("with a certificate that nobody knows")
	}
	if len(p.got) != 0 {
		t.Errorf("%d came through", len(p.got))
	}
	for address, want := range map[string]bool{
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false,
		"198.18.0.1": false, "240.0.0.1": false, "::1": false, "::": false, "fe80::1": false, "fc00::1": false, "fd12::1": false, "ff02::1": false, "::ffff:10.0.0.1": false, "::ffff:127.0.0.1": false,
		"64:ff9b::a00:1": false, "::127.0.0.1": false, "::10.0.0.1": false, "2002:a00:1::": false, "2001:db8::1": false, "fec0::1": false, "fe80::1%eth0": false,
		"8.8.8.8": true, "113.160.0.1": true, "2405:4800::1": true, "::ffff:8.8.8.8": true,
	} {
		if got := notice.Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is public: %t", address, got)
		}
	}
}
