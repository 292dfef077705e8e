package httpapi

import (
	"context"
	"io"
	"strings"
	"testing"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

const fakeContent = "%PDF-1.7 bản vẽ"

var fakeAttachment = permit.Attachment{ID: 1, Name: "Bản vẽ số 1.pdf", MediaType: "application/pdf", Bytes: int64(len(fakeContent)), SHA256: "ab"}

// fakeDesk is a register that keeps the file it was handed.
type fakeDesk struct {
	*fakeStore
	state    permit.FileState
	attached permit.NewAttachment
	content  string
}

func (s *fakeDesk) Proposal(context.Context, account.Viewer, int64) (permit.File, error) {
	return permit.File{ID: 1, State: s.state, Parties: []permit.Party{permit.Organisation}}, s.err
}

func (s *fakeDesk) AttachFile(_ context.Context, _ account.Viewer, _ int64, n permit.NewAttachment) (int64, error) {
	raw, err := io.ReadAll(n.Content)
	s.attached, s.content = n, string(raw)
	return 9, err
}

const attachmentsPath = root + "/proposals/1/attachments"

// What is kept is sent to be kept as a file, whatever it is.
func TestAttachmentsAreSentAsFiles(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	whole := do(h, "GET", attachmentsPath+"/1", "", asOperator)
	for name, want := range map[string]string{"Content-Type": "application/pdf", "Content-Disposition": "attachment; filename*=utf-8''B%E1%BA%A3n%20v%E1%BA%BD%20s%E1%BB%91%201.pdf",
		"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-cache", "Content-Security-Policy": noContent[0], "Accept-Ranges": "bytes"} {
		if got := whole.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if whole.Code != 200 || whole.Body.String() != fakeContent {
		t.Errorf("%d %q", whole.Code, whole.Body)
	}
	tag := whole.Header().Get("ETag")
	if part := do(h, "GET", attachmentsPath+"/1", "", asOperator, "Range: bytes=1-3", "If-Range: "+tag); part.Code != 206 || part.Body.String() != "PDF" || part.Header().Get("Content-Disposition") == "" {
		t.Errorf("a range: %d %q", part.Code, part.Body)
	}
	if known := do(h, "GET", attachmentsPath+"/1", "", asOperator, "If-None-Match: "+tag); known.Code != 304 {
		t.Errorf("what is known: %d", known.Code)
	}
	if head := do(h, "HEAD", attachmentsPath+"/1", "", asOperator); head.Code != 200 || head.Header().Get("Content-Length") != whole.Header().Get("Content-Length") || head.Body.Len() != 0 {
		t.Errorf("HEAD: %d %v", head.Code, head.Header())
	}
	if anyone := do(h, "GET", attachmentsPath+"/1", ""); anyone.Code != 401 {
		t.Errorf("anybody: %d", anyone.Code)
	}
}

func TestFilesAreAttached(t *testing.T) {
	s := &fakeDesk{fakeStore: &fakeStore{}, state: permit.Filed}
	c := config(t, s.fakeStore)
	c.Accounts = s
	h := apiWith(t, c).router()
	post := func(query, body string) (int, string) {
		w := do(h, "POST", attachmentsPath+query, body, asOperator, "Content-Type: application/octet-stream")
		return w.Code, w.Body.String()
	}
	if code, body := post("?name=Ba%CC%89n.PDF", fakeContent); code != 201 || s.attached.Name != "Bản.PDF" || s.attached.MediaType != "application/pdf" || s.content != fakeContent || len(s.attached.SHA256) != 32 || s.attached.Bytes != int64(len(fakeContent)) {
		t.Errorf("%d %s: %+v %q", code, body, s.attached, s.content)
	}
	for query, want := range map[string]int{"": 400, "?name=../x.pdf": 400, "?name=x.exe": 400, "?name=x.png": 415, "?name=x.pdf&agency=%FF": 400, "?name=x.pdf&colour=red": 400} {
		if code, body := post(query, fakeContent); code != want {
			t.Errorf("%s: %d %s", query, code, body)
		}
	}
	if code, body := post("?name=x.pdf", ""); code != 415 {
		t.Errorf("an empty file: %d %s", code, body)
	}
	s.state = permit.Approved
	if code, body := post("?name=x.pdf", fakeContent); code != 409 {
		t.Errorf("once it is decided: %d %s", code, body)
	}
	s.err = layer.ErrNotFound
	if code, body := post("?name=x.pdf", fakeContent); code != 404 {
		t.Errorf("of no proposal: %d %s", code, body)
	}
}

func TestAFileAtItsLimit(t *testing.T) {
	s := &fakeDesk{fakeStore: &fakeStore{}, state: permit.Filed}
	c := config(t, s.fakeStore)
	c.Accounts = s
	h := apiWith(t, c).router()
	for n, want := range map[int]int{permit.MaxAttachmentBytes - 1: 201, permit.MaxAttachmentBytes: 201, permit.MaxAttachmentBytes + 1: 413} {
		body := "%PDF-" + strings.Repeat("x", n-len("%PDF-"))
		if w := do(h, "POST", attachmentsPath+"?name=x.pdf", body, asOperator, "Content-Type: application/pdf"); w.Code != want {
			t.Errorf("%d bytes: %d %s", n, w.Code, w.Body)
		}
	}
}
