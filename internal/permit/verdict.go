package permit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// This file is the recorded verdict: what is signed, and what is proved of it later.
//
// Decided: the number is random and says nothing of how many verdicts others asked for; who
// knows it learns that there is such a verdict, when it was given and whether the signature
// holds, and no more. The body holds a second random text, the code. Who brings that has been
// handed the verdict, and is told what was asked and answered. The code also keeps the
// SHA-256 and the signature, which are for all, from telling a guessed body from a wrong one.
//
// Decided: who asked, with which rights, and the transactions that were part of the register
// are the basis, which the body holds the SHA-256 of: all of it is proved, and none of it is
// shown with the body, which others of the organisation and staff see.

// Kind is what a verdict is about.
type Kind string

// The kinds of verdicts.
const (
	Placement Kind = "placement"
	CableKind Kind = "cable"
)

// MaxRecorded is how many verdicts one call records at most: as many as a proposal has features.
const MaxRecorded = MaxFiled

// The forms of bodies, by their types. The earlier ones go on being verified, and replayed as
// they were given. In the first drafts counted where a rule named their status alone, and
// findings said neither whose rules they come from nor of when what they rest on is. In the
// second no question names the mast that it is about, and drafts in its place were taken for it.
const (
	firstType  = "hatang-verdict/1"
	secondType = "hatang-verdict/2"
	recordType = "hatang-verdict/3" // what is recorded now
)

// draftsOf are the drafts that counted in verdicts of each form.
var draftsOf = map[string]zoning.DraftsCounted{firstType: zoning.DraftsByRule, secondType: zoning.DraftsElsewhere, recordType: zoning.AllDrafts}

// RecordBody is what is signed.
type RecordBody struct {
	Type     string          `json:"type"`
	Number   string          `json:"number"`
	Code     string          `json:"code"`
	Kind     Kind            `json:"kind"`
	Date     geo.Date        `json:"date"`
	KnownAt  time.Time       `json:"known_at"`
	Question json.RawMessage `json:"question"`
	Answer   json.RawMessage `json:"answer"` // as the check at known_at answers
	RuleSet  *RuleSetRef     `json:"rule_set"`
	Versions layer.Versions  `json:"versions"` // of the layers, as who asked was told them
	Proposal *int64          `json:"proposal"` // that was filed with it; null for none
	Feature  *RecordFeature  `json:"feature"`  // of the proposal; null for none
	Basis    string          `json:"basis_sha256"`
}

// RuleSetRef names a rule set for good.
type RuleSetRef struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	SHA256  string `json:"sha256"` // of its body as it was published
}

// RecordFeature is a feature as it was judged.
type RecordFeature struct {
	Collection string `json:"collection"`
	ID         int64  `json:"id"`
	Revision   int64  `json:"revision"`
}

// Basis is as whom and of what a verdict was made.
type Basis struct {
	AskedBy      string          `json:"asked_by"`
	Organisation string          `json:"organisation"` // whose drafts counted
	Grants       []account.Grant `json:"grants"`
	RefusedTo    string          `json:"refused_to,omitempty"` // whose refusals to share counted beside
	Snapshot     string          `json:"snapshot"`
	Salt         string          `json:"salt"`
}

// Viewer is as whom it was judged.
func (b Basis) Viewer() account.Viewer {
	return account.Viewer{Name: b.AskedBy, Organisation: b.Organisation, Grants: b.Grants, RefusedTo: b.RefusedTo}
}

// Record is a recorded verdict.
type Record struct {
	Body      []byte // canonical
	Basis     []byte
	Key       string
	Signature []byte
	// Kept is what the database has beside these; nil for a record that is not there.
	Kept *RecordColumns
	Sees bool // the viewer may see it
}

// RecordColumns are a record's columns.
type RecordColumns struct {
	Number, AskedBy, Verdict, RuleSet, Snapshot string
	Kind                                        Kind
	Date                                        geo.Date
	KnownAt, RecordedAt                         time.Time
	Proposal                                    *int64
}

// Read returns what the body says.
func (r Record) Read() (b RecordBody, err error) {
	err = json.Unmarshal(r.Body, &b)
	return b, err
}

// ReadBasis returns as whom and of what it was made.
func (r Record) ReadBasis() (b Basis, err error) {
	err = json.Unmarshal(r.Basis, &b)
	return b, err
}

// RecordDocument is a recorded verdict as it is handed out: the body, and what proves it.
type RecordDocument struct {
	Body      json.RawMessage `json:"body"`
	Algorithm string          `json:"algorithm"` // Ed25519, of the body in canonical form
	Key       string          `json:"key"`
	Signature string          `json:"signature"` // base64url, without padding
	SHA256    string          `json:"sha256"`    // of the body in canonical form
}

// Document returns the record to be handed out.
func (r Record) Document() RecordDocument {
	return RecordDocument{Body: r.Body, Algorithm: "Ed25519", Key: r.Key, Signature: base64.RawURLEncoding.EncodeToString(r.Signature), SHA256: hexSum(r.Body)}
}

// ParseDocument reads a record that was handed out, however its JSON is written. Members
// beside those of a RecordDocument are not looked at.
func ParseDocument(raw []byte) (Record, error) {
	var d RecordDocument
	if err := json.Unmarshal(raw, &d); err != nil || len(d.Body) == 0 {
		return Record{}, layer.Wrong("không phải kết luận đã ghi nhận: thiếu body", "is no recorded verdict: it lacks a body")
	}
	body, err := Canonical(d.Body)
	if err != nil {
		return Record{}, layer.Wrong("body không đọc được", "the body cannot be read")
	}
	signature, err := base64.RawURLEncoding.DecodeString(d.Signature)
	if err != nil {
		return Record{}, layer.Wrong("signature không phải base64url", "the signature is not base64url")
	}
	return Record{Body: body, Key: d.Key, Signature: signature}, nil
}

// Verify returns all that is wrong with a record, by the keys there have been; nothing for
// one that is as it was signed. Of one from the database it also proves the basis, the
// columns, and that the key was in use.
func (r Record) Verify(keys []SigningKey) []geo.Text {
	wrong := []geo.Text{}
	say := func(vi, en string) { wrong = append(wrong, geo.Text{VI: vi, EN: en}) }
	at := slices.IndexFunc(keys, func(k SigningKey) bool { return k.ID == r.Key })
	switch {
	case at < 0:
		say("không biết khóa ký", "the signing key is not known")
	case len(keys[at].Public) != ed25519.PublicKeySize || !ed25519.Verify(keys[at].Public, r.Body, r.Signature):
		say("chữ ký không khớp với nội dung", "the signature is not of this body")
	}
	body, err := r.Read()
	if _, known := draftsOf[body.Type]; err != nil || !known {
		say("nội dung không đúng dạng", "the body is not of the form of a verdict")
		return wrong
	}
	if r.Kept == nil {
		return wrong
	}
	if at >= 0 && (r.Kept.RecordedAt.Before(keys[at].From) || !keys[at].Until.IsZero() && r.Kept.RecordedAt.After(keys[at].Until)) {
		say("khi ghi nhận, khóa ký không được dùng", "the signing key was not in use when it was recorded")
	}
	basis, err := r.ReadBasis()
	if err != nil || hexSum(r.Basis) != body.Basis {
		say("căn cứ (ai hỏi, quyền gì) không khớp với nội dung", "the basis (who asked, with which rights) is not that of the body")
	}
	if !r.Kept.of(body, basis) {
		say("các cột không khớp với nội dung đã ký", "the columns are not those of the signed body")
	}
	return wrong
}

// of reports whether the columns are those of a body and its basis.
func (c RecordColumns) of(b RecordBody, basis Basis) bool {
	var answer struct {
		Verdict zoning.Verdict `json:"verdict"`
	}
	ruleSet := ""
	if b.RuleSet != nil {
		ruleSet = fmt.Sprintf("%s@%d", b.RuleSet.ID, b.RuleSet.Version)
	}
	samePlace := (c.Proposal == nil) == (b.Proposal == nil) && (c.Proposal == nil || *c.Proposal == *b.Proposal)
	return json.Unmarshal(b.Answer, &answer) == nil && c.Number == b.Number && c.Kind == b.Kind && c.Date == b.Date && c.KnownAt.Equal(b.KnownAt) &&
		c.Verdict == string(answer.Verdict) && c.RuleSet == ruleSet && samePlace && c.AskedBy == basis.AskedBy && c.Snapshot == basis.Snapshot && !c.RecordedAt.Before(c.KnownAt.Add(-time.Hour))
}

// Unlocks reports whether the code is that of the body, in a time that does not tell how
// much of it is.
func (b RecordBody) Unlocks(code string) bool {
	return b.Code != "" && subtle.ConstantTimeCompare([]byte(strings.ToUpper(code)), []byte(b.Code)) == 1
}

// Replay is what a recorded question gives by the register as it was known.
type Replay struct {
	Number  string          `json:"number"`
	KnownAt time.Time       `json:"known_at"`
	Same    bool            `json:"same"`   // the answers are one, but for the texts of messages
	Answer  json.RawMessage `json:"answer"` // of the replay
}

// inFirstForm is an answer without what those of the first type did not say.
func inFirstForm(answer []byte) (json.RawMessage, error) {
	var a map[string]any
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	if err := d.Decode(&a); err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	for _, list := range []string{"findings", "alternatives"} {
		items, _ := a[list].([]any)
		for _, item := range items {
			said, _ := item.(map[string]any)
			delete(said, "rule_set")
			delete(said, "data_date")
			evidence, _ := said["evidence"].(map[string]any)
			delete(evidence, "status")
			delete(evidence, "recorded_on")
		}
	}
	text, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("write an answer: %w", err)
	}
	return text, nil
}

// SameButMessages reports whether two answers are the same byte for byte once they are
// canonical and without their messages.
func SameButMessages(a, b []byte) (bool, error) {
	bare := func(raw []byte) ([]byte, error) {
		var value any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		text, err := json.Marshal(withoutMessages(value))
		if err != nil {
			return nil, err
		}
		return Canonical(text)
	}
	x, err := bare(a)
	if err != nil {
		return false, err
	}
	y, err := bare(b)
	return err == nil && bytes.Equal(x, y), err
}

func withoutMessages(value any) any {
	switch v := value.(type) {
	case map[string]any:
		delete(v, "message")
		for name, member := range v {
			v[name] = withoutMessages(member)
		}
	case []any:
		for i, member := range v {
			v[i] = withoutMessages(member)
		}
	}
	return value
}

// crockford are the digits of numbers and codes: none is taken for another.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newCode returns so many groups of four random digits, 20 bits each.
func newCode(groups int) string {
	raw := make([]byte, 4*groups)
	_, _ = rand.Read(raw) // never fails: crypto/rand
	var b strings.Builder
	for i, c := range raw {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(crockford[c%32])
	}
	return b.String()
}

// newNumber returns a number that no other verdict has and nobody guesses: 60 random bits.
func newNumber(year int) string { return fmt.Sprintf("V-%04d-%s", year, newCode(3)) }

// ValidNumber reports whether a text has the form of a verdict's number.
func ValidNumber(text string) bool {
	if len(text) != len("V-2026-0000-0000-0000") || text[:2] != "V-" {
		return false
	}
	for i := 2; i < len(text); i++ {
		if dash := (i-1)%5 == 0; dash != (text[i] == '-') || !dash && !strings.ContainsRune(crockford, rune(text[i])) || i < 6 && (text[i] < '0' || text[i] > '9') {
			return false
		}
	}
	return true
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
