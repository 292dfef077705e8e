package notice

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"hatang/internal/permit"
)

// Security is how a connection to a mail server is kept from being read.
type Security string

// The kinds: asked for once connected, which the server must offer; from the first byte; not
// at all, for a server on the same machine or a network of one's own.
const (
	StartTLS Security = "starttls"
	TLS      Security = "tls"
	None     Security = "none"
)

// sendTime is how long sending one notice may take.
const sendTime = time.Minute

// Mailer sends notices by way of a mail server.
type Mailer struct {
	Address        string // host:port
	Security       Security
	User, Password string         // "" for a server that asks for none
	From           mail.Address   // of whom the mails are
	PublicURL      string         // of the register; "" for no addresses in mails
	Roots          *x509.CertPool // that the server's certificate must come from; nil: those of the system
}

// refusedError says that a server wants no such mail, now or later.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

// Send sends a notice. The mail has the same Message-ID however often it is sent: where the
// server has taken one and could not say so, the receiver can tell that the next is the same.
// An error for which Refused reports true is about this receiver and stays; others may pass.
func (m *Mailer) Send(ctx context.Context, n *permit.Notice) error {
	message, err := m.compose(n)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	client, closeClient, err := m.dial(ctx)
	if err != nil {
		return err
	}
	defer closeClient()
	if err := client.Mail(m.From.Address); err != nil {
		return err
	}
	if err := client.Rcpt(n.Mail.Address); err != nil {
		return permanent(err)
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return permanent(err)
	}
	_ = client.Quit() // it has the mail: how it takes leave changes nothing
	return nil
}

// Refused reports whether an error of sending is an answer that stays.
func Refused(err error) bool {
	var refused refusedError
	return errors.As(err, &refused)
}

// permanent marks the answer to a receiver or a mail that a server says is for good.
func permanent(err error) error {
	var reply *textproto.Error
	if errors.As(err, &reply) && reply.Code >= 500 {
		return refusedError{err}
	}
	return err
}

// dial returns a client that has signed in where there is a user, on a connection that ends
// with the context.
func (m *Mailer) dial(ctx context.Context) (client *smtp.Client, closeClient func(), err error) {
	host, _, err := net.SplitHostPort(m.Address)
	if err != nil {
		return nil, nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Address)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // it fails only where there is no connection any more
	hangUp := func() { stop(); _ = conn.Close() }                                    // nothing is on its way
	defer func() {
		if err != nil {
			hangUp()
		}
	}()
	config := &tls.Config{ServerName: host, RootCAs: m.Roots, MinVersion: tls.VersionTLS12}
	wire := conn
	if m.Security == TLS {
		wire = tls.Client(conn, config)
	}
	if client, err = smtp.NewClient(wire, host); err != nil {
		return nil, nil, err
	}
	if err = client.Hello(m.domain()); err != nil {
		return nil, nil, err
	}
	if m.Security == StartTLS {
		if err = client.StartTLS(config); err != nil {
			return nil, nil, fmt.Errorf("STARTTLS: %w", err)
		}
	}
	if m.User != "" {
		if err = client.Auth(smtp.PlainAuth("", m.User, m.Password, host)); err != nil {
			return nil, nil, fmt.Errorf("sign in as %s: %w", m.User, err)
		}
	}
	return client, hangUp, nil
}

// domain is that of the sender.
func (m *Mailer) domain() string {
	_, domain, _ := strings.Cut(m.From.Address, "@")
	return domain
}

// compose writes a notice as a mail in the receiver's language (RFC 5322, RFC 2047, MIME).
func (m *Mailer) compose(n *permit.Notice) ([]byte, error) {
	language := n.Mail.Language
	var b bytes.Buffer
	to := mail.Address{Name: n.Mail.Name, Address: n.Mail.Address}
	for _, header := range [][2]string{
		{"From", m.From.String()}, {"To", to.String()}, {"Subject", encoded(Subject(n).In(language))}, {"Date", n.MadeAt.UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + n.Message + "@" + m.domain() + ">"}, {"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"}, {"Content-Language", language},
		{"Content-Type", `text/plain; charset="utf-8"`}, {"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", header[0], folded(header[1]))
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	text := Body(n, m.PublicURL).In(language) + "\n" + footer().In(language) + "\n"
	if _, err := w.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
		return nil, err
	}
	return b.Bytes(), w.Close()
}

// encoded is a text of a header as words of RFC 2047, also one that is ASCII and would be
// taken for such words, or has no place to be folded at.
func encoded(text string) string {
	const plainLength = 60
	if len(text) < plainLength && !strings.Contains(text, "=?") {
		return mime.BEncoding.Encode("utf-8", text)
	}
	var words []string
	for _, r := range text {
		const most = 42 // bytes of one word, so that it has at most 75 characters
		if last := len(words) - 1; last >= 0 && len(words[last])+len(string(r)) <= most {
			words[last] += string(r)
		} else {
			words = append(words, string(r))
		}
	}
	for i, word := range words {
		words[i] = "=?utf-8?b?" + base64.StdEncoding.EncodeToString([]byte(word)) + "?="
	}
	return strings.Join(words, " ")
}

// folded breaks a header between its encoded words.
func folded(header string) string { return strings.ReplaceAll(header, "?= =?", "?=\r\n =?") }
