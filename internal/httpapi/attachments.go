package httpapi

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Attachments are the files of proposals. Every method knows only what the viewer sees.
type Attachments interface {
	// Attachments returns those of a proposal; ErrNotFound.
	Attachments(ctx context.Context, v account.Viewer, proposal int64) ([]permit.Attachment, error)
	// Attachment returns one; ErrNotFound.
	Attachment(ctx context.Context, v account.Viewer, proposal, id int64) (permit.Attachment, error)
	// ReadAttachment writes the bytes of one that was returned.
	ReadAttachment(ctx context.Context, a permit.Attachment, w io.Writer) error
	// AttachFile attaches a file and returns its id; ErrForbidden, ErrConflict.
	AttachFile(ctx context.Context, v account.Viewer, proposal int64, n permit.NewAttachment) (int64, error)
}

// attachmentTypes are the types under which files are sent to be attached; what they are
// their names and contents say.
var attachmentTypes = append([]string{"application/octet-stream"}, permit.AttachmentTypes()...)

// attachmentDocument is an attachment with the address of its bytes.
type attachmentDocument struct {
	permit.Attachment
	Links []link `json:"links"`
}

func attachmentPath(proposal, id int64) string {
	return proposalPath(proposal) + "/attachments/" + strconv.FormatInt(id, 10)
}

func (a *api) listAttachments(w http.ResponseWriter, r *request) error {
	proposal, err := numberOf(r, "proposalId")
	if err != nil {
		return err
	}
	found, err := a.Accounts.Attachments(r.Context(), r.viewer, proposal)
	if err != nil {
		return err
	}
	list := make([]attachmentDocument, len(found))
	for i, f := range found {
		list[i] = attachmentDocument{f, []link{{Href: a.href(r, attachmentPath(proposal, f.ID), nil), Rel: "enclosure", Type: f.MediaType, Title: f.Name}}}
	}
	return reply(w, r, http.StatusOK, map[string]any{"attachments": list})
}

// sendAttachment sends the bytes of an attachment, to be kept as a file and not shown.
func (a *api) sendAttachment(w http.ResponseWriter, r *request) error {
	proposal, err := numberOf(r, "proposalId")
	if err != nil {
		return err
	}
	id, err := numberOf(r, "attachmentId")
	if err != nil {
		return err
	}
	found, err := a.Accounts.Attachment(r.Context(), r.viewer, proposal, id)
	if err != nil {
		return err
	}
	h, key := w.Header(), tag("attachment", strconv.FormatInt(found.ID, 10), found.SHA256)
	if cachedFile(w, r, key) {
		return nil
	}
	h["Cache-Control"] = privateNoCache
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": found.Name}))
	if f := a.made.find(key); f != nil {
		defer f.release()
		return f.send(w, r, found.MediaType)
	}
	file, err := formats.TempFile()
	if err != nil {
		return err
	}
	if err := a.Accounts.ReadAttachment(r.Context(), found, file); err != nil {
		return errors.Join(err, file.Close())
	}
	return a.sendNew(w, r, found.MediaType, key, file)
}

// attachFile attaches the file that is the body to a proposal.
func (a *api) attachFile(w http.ResponseWriter, r *request) error {
	proposal, err := numberOf(r, "proposalId")
	if err != nil {
		return err
	}
	var faults layer.Faults
	n := permit.NewAttachment{Name: permit.CheckAttachmentName(r.values.Get("name"), &faults), Agency: norm.NFC.String(clip(plainIn(r, "agency", &faults)))}
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	if _, err := a.openFor(r, proposal, permit.Attach); err != nil {
		return err
	}
	// The answer may come later than the server's time for it, which began with the headers.
	if err := unlessUnsupported(http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * uploadTime))); err != nil {
		return err
	}
	path, err := receive(w, r, permit.MaxAttachmentBytes)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(path) }() // nobody finds it any more, whatever becomes of it
	ctx, cancel := context.WithTimeout(r.Context(), uploadTime)
	defer cancel()
	id, err := a.attach(ctx, r.viewer, proposal, n, path)
	if err != nil {
		return err
	}
	w.Header().Set("Location", a.href(r, attachmentPath(proposal, id), nil))
	return reply(w, r, http.StatusCreated, map[string]int64{"id": id})
}

// attach looks what the file at path is, and attaches it.
func (a *api) attach(ctx context.Context, v account.Viewer, proposal int64, n permit.NewAttachment, path string) (id int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	sum := sha256.New()
	if n.Bytes, err = io.Copy(sum, file); err != nil {
		return 0, fmt.Errorf("read the file: %w", err)
	}
	n.SHA256 = sum.Sum(nil)
	if n.MediaType, err = permit.MediaTypeOf(n.Name, file, n.Bytes); err != nil {
		return 0, attachmentProblem(err)
	}
	n.Content = io.NewSectionReader(file, 0, n.Bytes)
	if id, err = a.Accounts.AttachFile(ctx, v, proposal, n); err != nil {
		return 0, attachmentProblem(err)
	}
	return id, nil
}

// attachmentProblem says what keeps a file from being attached.
func attachmentProblem(err error) error {
	var invalid *layer.InvalidError
	if !errors.As(err, &invalid) {
		return stepProblem(err)
	}
	// What is about the content stands at no parameter.
	kind := invalidParameter
	if slices.ContainsFunc(invalid.Faults, func(f layer.Fault) bool { return f.At == "" }) {
		kind = unsupportedMedia
	}
	return faultsProblem(kind, invalid.Faults)
}
