package notice

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"

	"hatang/geo"
	"hatang/internal/permit"
)

// Headers of what is sent to a webhook.
const (
	// SignatureHeader is t=SECONDS,v1=HEX: when it was sent, and the HMAC-SHA256 by the secret
	// of these seconds as text, a full stop, and the body.
	SignatureHeader = "Hatang-Signature"
	// NoticeHeader is the same of a notice however often it comes.
	NoticeHeader = "Hatang-Notice"
)

// hookTime is how long a webhook may take to answer.
const hookTime = 15 * time.Second

// Webhooks sends notices to programs of organisations.
type Webhooks struct {
	// Networks are those of private addresses that webhooks may have all the same.
	Networks  []netip.Prefix
	PublicURL string         // of the register; "" for no addresses
	Roots     *x509.CertPool // that certificates must come from; nil: those of the system
	Now       func() time.Time
}

// hookDocument is what a program is sent.
type hookDocument struct {
	ID           string            `json:"id"`
	Kind         permit.NoticeKind `json:"kind"`
	At           time.Time         `json:"at"`
	Organisation string            `json:"organisation"`       // that is told
	Proposal     *hookProposal     `json:"proposal,omitempty"` // what it is about, or
	Sharing      *hookShare        `json:"sharing_request,omitempty"`
	Subject      geo.Text          `json:"subject"`
	Text         geo.Text          `json:"text"`
}

type hookProposal struct {
	ID        int64            `json:"id"`
	Title     string           `json:"title"`
	State     permit.FileState `json:"state"`
	Revision  int64            `json:"revision"`
	DueOn     geo.Date         `json:"due_on"`
	ExpiresOn geo.Date         `json:"expires_on"`
	Decision  *string          `json:"decision"`
}

type hookShare struct {
	Number     string            `json:"number"`
	Asker      string            `json:"asker"`
	Partners   []string          `json:"partners"`
	Collection string            `json:"collection"`
	Feature    *int64            `json:"feature"`
	Code       *string           `json:"code"`
	State      permit.ShareState `json:"state"`
	Revision   int64             `json:"revision"`
	DueOn      geo.Date          `json:"due_on"`
}

// document is what a program is sent of a notice.
func document(n *permit.Notice, publicURL string) hookDocument {
	d := hookDocument{ID: n.Message, Kind: n.Kind, At: n.MadeAt.UTC(), Organisation: n.Hook.Organisation, Subject: Subject(n), Text: Body(n, publicURL)}
	if r := n.Share; r != nil {
		d.Sharing = &hookShare{r.Number, r.Asker, r.Between()[1:], r.Collection, r.Feature, r.Code, r.State, r.Revision, r.DueOn}
	} else {
		f := n.File
		d.Proposal = &hookProposal{f.ID, f.Title, f.State, f.Revision, f.DueOn, f.ExpiresOn, f.Decision}
	}
	return d
}

// Send sends a notice; any answer but 2xx is an error, redirections are not followed. The
// connection goes to a public address, or to one of the networks, whatever the name says.
func (h *Webhooks) Send(ctx context.Context, n *permit.Notice) error {
	text, err := json.Marshal(document(n, h.PublicURL))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, hookTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Hook.URL, bytes.NewReader(text))
	if err != nil {
		return err
	}
	if request.URL.Scheme != "https" {
		return errors.New("the webhook is not https")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "hatang")
	request.Header.Set(NoticeHeader, n.Message)
	request.Header.Set(SignatureHeader, Sign(n.Hook.Secret, h.Now(), text))
	transport := &http.Transport{DialContext: (&net.Dialer{Control: h.mayDial}).DialContext, TLSClientConfig: &tls.Config{RootCAs: h.Roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if at := new(url.Error); errors.As(err, &at) {
		return at.Err // without the address, which may hold what only the receiver is to know
	}
	if err != nil {
		return err
	}
	defer answer.Body.Close() // what else it says does not matter
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("the webhook answers %d", answer.StatusCode)
	}
	return nil
}

// Sign is the value of SignatureHeader for a body that is sent at a time.
func Sign(secret []byte, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// mayDial refuses addresses that are not public, when the name has become one.
func (h *Webhooks) mayDial(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap().WithZone("")
	allowed := slices.ContainsFunc(h.Networks, func(network netip.Prefix) bool { return network.Contains(ip) })
	if !allowed && !Public(ip) {
		return fmt.Errorf("%s is no public address; --webhook-networks allows others", ip)
	}
	return nil
}

// apart are networks that are not public beside those that netip knows: of providers, of
// tests and documents, and those by which IPv4 is reached from IPv6.
func apart() []netip.Prefix {
	var list []netip.Prefix
	for _, text := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10"} {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// Public reports whether an address is one of the public network.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(apart(), func(network netip.Prefix) bool { return network.Contains(ip) })
}
