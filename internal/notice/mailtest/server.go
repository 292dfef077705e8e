// Package mailtest is a mail server for tests: it speaks SMTP to whoever connects, keeps what
// it takes, and fails as it is told.
package mailtest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Stage is how far a client has come when the server fails.
type Stage string

// The stages: connected, the sender, the receiver, before the mail, after all of it.
const (
	Connected Stage = "connected"
	Sender    Stage = "sender"
	Receiver  Stage = "receiver"
	Content   Stage = "content"
	Taken     Stage = "taken"
)

// Fault is what the server does at a stage; the zero Fault is nothing.
type Fault struct {
	Code int  // of the answer
	Drop bool // the connection ends instead
}

// Mail is what was taken.
type Mail struct {
	From, To string
	Data     []byte
	Secure   bool   // by TLS
	User     string // who had signed in; "" for nobody
}

// Server is a mail server.
type Server struct {
	Address string
	Roots   *x509.CertPool // its certificate comes from

	user, password string
	fault          func(Stage, Mail) Fault
	mu             sync.Mutex
	mails          []Mail
}

// Options say how a server is; the zero Options are those of one that takes everything, in
// plain text or after STARTTLS.
type Options struct {
	TLS            bool   // from the first byte
	NoTLS          bool   // STARTTLS is not offered
	User, Password string // that clients must sign in with; "" for none
	Fault          func(Stage, Mail) Fault
}

// Start starts a server that ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	certificate, config := certified.Certificate(), &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
	certified.Close()
	s := &Server{Roots: x509.NewCertPool(), user: o.User, password: o.Password, fault: o.Fault}
	s.Roots.AddCert(certificate)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Address = listener.Addr().String()
	server := smtp.NewServer(s)
	server.Domain, server.AllowInsecureAuth, server.ErrorLog = "localhost", true, quiet{}
	switch {
	case o.TLS:
		listener = tls.NewListener(listener, config)
	case !o.NoTLS:
		server.TLSConfig = config
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

// Mails returns what has been taken.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail{}, s.mails...)
}

// NewSession implements smtp.Backend.
func (s *Server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	session := &session{server: s, conn: c}
	return session, session.at(Connected)
}

// session is one client.
type session struct {
	server *Server
	conn   *smtp.Conn
	mail   Mail
}

// at fails where the server is told to.
func (s *session) at(stage Stage) error {
	if s.server.fault == nil {
		return nil
	}
	f := s.server.fault(stage, s.mail)
	if f.Drop {
		return s.conn.Conn().Close()
	}
	if f.Code != 0 {
		return &smtp.SMTPError{Code: f.Code, EnhancedCode: smtp.EnhancedCode{f.Code / 100, 0, 0}, Message: "as the test says"}
	}
	return nil
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	if s.server.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.user || password != s.server.password {
			return smtp.ErrAuthFailed
		}
		s.mail.User = user
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.user != "" && s.mail.User == "" {
		return smtp.ErrAuthRequired
	}
	_, s.mail.Secure = s.conn.TLSConnectionState()
	s.mail.From = from
	return s.at(Sender)
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.To = to
	return s.at(Receiver)
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) (err error) {
	if err := s.at(Content); err != nil {
		return err
	}
	if s.mail.Data, err = io.ReadAll(r); err != nil {
		return err
	}
	if s.server.fault != nil {
		if f := s.server.fault(Taken, s.mail); f.Code != 0 { // it is not taken after all
			return &smtp.SMTPError{Code: f.Code, EnhancedCode: smtp.EnhancedCode{f.Code / 100, 0, 0}, Message: "as the test says"}
		} else if f.Drop {
			s.keep()
			return s.conn.Conn().Close() // it is, and the client does not hear of it
		}
	}
	s.keep()
	return nil
}

func (s *session) keep() {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, s.mail)
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.mail = Mail{User: s.mail.User} }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// quiet says nothing of connections that end.
type quiet struct{}

// Printf implements smtp.Logger.
func (quiet) Printf(string, ...any) {}

// Println implements smtp.Logger.
func (quiet) Println(...any) {}
