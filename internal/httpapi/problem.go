package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// problemType is one kind of problem; its Name is the last part of its type URI
// and a heading of api/problems.md.
type problemType struct {
	Name   string
	Status int
	Title  geo.Text
}

// The problem types; problemTypes lists them all.
var (
	invalidParameter     = problemType{"invalid-parameter", http.StatusBadRequest, geo.Text{VI: "Tham số không hợp lệ", EN: "Invalid parameter"}}
	invalidBody          = problemType{"invalid-body", http.StatusBadRequest, geo.Text{VI: "Nội dung không hợp lệ", EN: "Invalid body"}}
	unreadableBody       = problemType{"unreadable-body", http.StatusBadRequest, geo.Text{VI: "Không đọc được nội dung", EN: "Unreadable body"}}
	unauthorised         = problemType{"unauthorised", http.StatusUnauthorized, geo.Text{VI: "Cần đăng nhập hoặc khóa hợp lệ", EN: "A sign-in or a valid key is needed"}}
	forbidden            = problemType{"forbidden", http.StatusForbidden, geo.Text{VI: "Không có quyền", EN: "Not allowed"}}
	notFound             = problemType{"not-found", http.StatusNotFound, geo.Text{VI: "Không tìm thấy", EN: "Not found"}}
	methodNotAllowed     = problemType{"method-not-allowed", http.StatusMethodNotAllowed, geo.Text{VI: "Phương thức không được hỗ trợ", EN: "Method not allowed"}}
	notAcceptable        = problemType{"not-acceptable", http.StatusNotAcceptable, geo.Text{VI: "Không có định dạng được yêu cầu", EN: "Not acceptable"}}
	conflict             = problemType{"conflict", http.StatusConflict, geo.Text{VI: "Xung đột", EN: "Conflict"}}
	preconditionFail     = problemType{"precondition-failed", http.StatusPreconditionFailed, geo.Text{VI: "Bản ghi đã thay đổi", EN: "The row has changed"}}
	tooSlow              = problemType{"request-timeout", http.StatusRequestTimeout, geo.Text{VI: "Yêu cầu đến quá chậm", EN: "The request came too slowly"}}
	bodyTooLarge         = problemType{"body-too-large", http.StatusRequestEntityTooLarge, geo.Text{VI: "Nội dung quá lớn", EN: "Body too large"}}
	headersTooLarge      = problemType{"headers-too-large", http.StatusRequestHeaderFieldsTooLarge, geo.Text{VI: "Tiêu đề quá lớn", EN: "Headers too large"}}
	uriTooLong           = problemType{"uri-too-long", http.StatusRequestURITooLong, geo.Text{VI: "Địa chỉ quá dài", EN: "Address too long"}}
	rangeNotSatisfiable  = problemType{"range-not-satisfiable", http.StatusRequestedRangeNotSatisfiable, geo.Text{VI: "Không có phần được yêu cầu", EN: "No such range"}}
	unsupportedMedia     = problemType{"unsupported-media-type", http.StatusUnsupportedMediaType, geo.Text{VI: "Định dạng không được hỗ trợ", EN: "Unsupported media type"}}
	tooMany              = problemType{"too-many-requests", http.StatusTooManyRequests, geo.Text{VI: "Quá nhiều yêu cầu", EN: "Too many requests"}}
	internalError        = problemType{"internal", http.StatusInternalServerError, geo.Text{VI: "Lỗi máy chủ", EN: "Server error"}}
	noSpace              = problemType{"no-space", http.StatusInsufficientStorage, geo.Text{VI: "Hết chỗ lưu trữ", EN: "No room left"}}
	unavailable          = problemType{"unavailable", http.StatusServiceUnavailable, geo.Text{VI: "Tạm thời không phục vụ được", EN: "Temporarily unavailable"}}
	timedOut             = problemType{"timeout", http.StatusGatewayTimeout, geo.Text{VI: "Quá thời gian xử lý", EN: "Out of time"}}
	preconditionRequired = problemType{"precondition-required", http.StatusPreconditionRequired, geo.Text{VI: "Cần If-Match", EN: "If-Match is needed"}}
)

func problemTypes() []problemType {
	return []problemType{invalidParameter, invalidBody, unreadableBody, unauthorised, forbidden, notFound,
		methodNotAllowed, notAcceptable, tooSlow, conflict, preconditionFail, preconditionRequired, bodyTooLarge, uriTooLong, unsupportedMedia, rangeNotSatisfiable, tooMany, headersTooLarge,
		internalError, unavailable, timedOut, noSpace}
}

// problemError is an error that knows the problem it is answered with.
type problemError struct {
	Type   problemType
	Detail geo.Text // what the caller can do about it
	Faults layer.Faults
	Rows   *overtakenRows // that a revert is refused for; nil for none
	// Proposal is the one that the row is in; 0 for none, or one that is not seen.
	Proposal int64
	// RetryAfterS is what a 429 tells the client to wait, seconds.
	RetryAfterS int
}

func (p *problemError) Error() string { return p.Type.Name + ": " + p.Detail.EN }

func problem(t problemType, vi, en string) *problemError {
	return &problemError{Type: t, Detail: geo.Text{VI: vi, EN: en}}
}

// faultsProblem is a problem with all its faults; t is invalidParameter or invalidBody.
func faultsProblem(t problemType, faults layer.Faults) *problemError {
	p := problem(t, "Yêu cầu có lỗi ở những chỗ nêu trong danh sách; hãy sửa rồi gửi lại.",
		"The request is wrong in the places listed; correct them and send it again.")
	if len(faults) == 1 {
		p.Detail = faults[0].Detail
	}
	p.Faults = faults
	return p
}

// addWhere adds the same fault at every place where it is, in the order of their names.
func addWhere(faults *layer.Faults, is map[string]bool, vi, en string) {
	for _, at := range slices.Sorted(maps.Keys(is)) {
		if is[at] {
			*faults = append(*faults, layer.Fault{At: at, Detail: geo.Text{VI: vi, EN: en}})
		}
	}
}

// parameterFault is a 400 about one parameter.
func parameterFault(name, vi, en string) error {
	return faultsProblem(invalidParameter, layer.Faults{{At: name, Detail: geo.Text{VI: vi, EN: en}}})
}

// filedProblem names the proposal to who sees it.
func filedProblem(err *layer.FiledError) *problemError {
	p := problem(conflict, "Đối tượng nằm trong một hồ sơ chưa kết thúc; trạng thái và những gì đã nộp chỉ đổi theo hồ sơ.", "The row is in a proposal that is open: its status, and what was filed of it, change with the proposal alone.")
	if err.Step {
		p = problem(conflict, "Thay đổi này do một bước của hồ sơ làm ra; không hoàn tác được, chỉ đổi theo các bước của hồ sơ.", "A step of a proposal made this change: it is not reverted, and changes by steps of the proposal alone.")
	}
	if p.Proposal = err.Proposal; err.Proposal != 0 {
		p.Detail.VI += fmt.Sprintf(" Hồ sơ số %d.", err.Proposal)
		p.Detail.EN += fmt.Sprintf(" It is proposal %d.", err.Proposal)
	}
	return p
}

// problemFor says which problem an error is answered with. Errors it does not
// know are internal: their text stays in the log.
func problemFor(err error) *problemError {
	var known *problemError
	var invalid *layer.InvalidError
	var tooLarge *http.MaxBytesError
	var overtaken *layer.OvertakenError
	var filed *layer.FiledError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &overtaken):
		return overtakenProblem(overtaken)
	case errors.As(err, &invalid):
		if at := invalid.Faults[0].At; at != "" && at[0] != '/' {
			return faultsProblem(invalidParameter, invalid.Faults)
		}
		return faultsProblem(invalidBody, invalid.Faults)
	case errors.As(err, &tooLarge):
		return problem(bodyTooLarge, "Nội dung vượt quá giới hạn của máy chủ.", "The body is over the server's limit.")
	case errors.Is(err, layer.ErrNotFound):
		return problem(notFound, "Không có đối tượng này, hoặc bạn không được xem.", "There is no such thing, or you may not see it.")
	case errors.Is(err, layer.ErrStale):
		return problem(preconditionFail, "Bản ghi đã được người khác sửa từ khi bạn đọc; hãy đọc lại rồi sửa.", "Somebody has changed the row since you read it; read it again, then change it.")
	case errors.As(err, &filed):
		return filedProblem(filed)
	case errors.Is(err, layer.ErrConflict):
		return problem(conflict, "Dữ liệu đã có một bản ghi khác trùng hoặc liên quan; hãy đọc lại rồi sửa.", "Another row has the same code or refers to this one; read again, then correct.")
	case errors.Is(err, geo.ErrOutOfDomain):
		return faultsProblem(invalidParameter, layer.Faults{{At: "crs", Detail: geo.Text{
			VI: "Có đối tượng nằm ngoài phạm vi của hệ tọa độ này; hãy dùng hệ khác hoặc thu hẹp bbox.",
			EN: "A feature lies outside the domain of this reference system; use another or narrow the bbox."}}})
	case errors.Is(err, layer.ErrForbidden):
		return problem(forbidden, "Bạn không được ghi bản ghi này: nó nằm ngoài địa bàn hoặc các lớp bạn được giao, hoặc không phải dự thảo của tổ chức bạn (status draft, owner_organisation là tổ chức ấy).",
			"You may not write this row: it lies outside the territory or the layers of your rights, or is no draft of your organisation (status draft, and owner_organisation that organisation).")
	case errors.Is(err, layer.ErrNoSpace):
		return problem(noSpace, "Đĩa của máy chủ đã đầy; không có gì được lưu. Hãy báo người quản trị.", "The server's disk is full; nothing was stored. Tell the administrator.")
	case errors.Is(err, permit.ErrNoSigningKey):
		return problem(unavailable, "Máy chủ này không có khóa ký đang dùng, nên không ghi nhận được kết luận; hãy báo người quản trị (hatang verdict rotate-key).",
			"This server has no signing key in use, and records no verdict; tell the administrator (hatang verdict rotate-key).")
	case errors.Is(err, layer.ErrUnavailable):
		return problem(unavailable, "Cơ sở dữ liệu chưa sẵn sàng; hãy thử lại sau vài giây.", "The database is not available now; try again in a few seconds.")
	case errors.Is(err, layer.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return problem(timedOut, "Xử lý quá lâu; hãy thu hẹp yêu cầu.", "This took too long; ask for less.")
	default:
		return problem(internalError, "Máy chủ gặp lỗi; hãy báo lại kèm request_id.", "The server failed; report it with the request_id.")
	}
}

// problemDocument is RFC 9457's document with ours beside it: message and errors
// hold both languages whatever the one of title and detail.
type problemDocument struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail"`
	Instance  string         `json:"instance,omitempty"`
	RequestID string         `json:"request_id,omitempty"`
	Message   geo.Text       `json:"message"`
	Proposal  int64          `json:"proposal,omitempty"`
	Errors    []problemFault `json:"errors,omitempty"`
	*overtakenRows
}

// problemFault is one fault, at a JSON pointer into the body or a parameter.
type problemFault struct {
	Pointer   *string  `json:"pointer,omitempty"`
	Parameter string   `json:"parameter,omitempty"`
	Detail    string   `json:"detail"`
	Message   geo.Text `json:"message"`
}

func (p *problemError) document(language string) problemDocument {
	d := problemDocument{
		Type: "/problems/" + p.Type.Name, Title: p.Type.Title.In(language), Status: p.Type.Status,
		Detail: p.Detail.In(language), Message: p.Detail, Proposal: p.Proposal, overtakenRows: p.Rows,
	}
	for _, f := range p.Faults {
		fault := problemFault{Detail: f.Detail.In(language), Message: f.Detail}
		if f.At == "" || f.At[0] == '/' {
			fault.Pointer = &f.At
		} else {
			fault.Parameter = f.At
		}
		d.Errors = append(d.Errors, fault)
	}
	return d
}

// retryAfterS is what a 503 tells clients to wait, seconds.
const retryAfterS = 2

// writeProblem answers with the problem of err, in JSON.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	document := describeProblem(w, r, err)
	body, err := json.Marshal(document)
	if err != nil {
		// Strings and integers always marshal; should they not, a bare status is left.
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	sendProblem(w, typeProblem, document.Status, body)
}

// describeProblem is the document of err's problem, and sets its headers. Those that
// described the answer that did not come about are taken back.
func describeProblem(w http.ResponseWriter, r *http.Request, err error) problemDocument {
	p := problemFor(err)
	h := w.Header()
	for _, name := range []string{"Etag", "Content-Length", "Content-Crs", "Content-Encoding", "Link", "Location", "Last-Modified", "Content-Disposition", "Ogc-Numbermatched", "Ogc-Numberreturned"} {
		h.Del(name)
	}
	language := languageOf(r)
	document := p.document(language)
	document.Instance = r.URL.EscapedPath()
	document.RequestID = h.Get(requestIDHeader)
	h.Set("Content-Language", language)
	h.Set("Cache-Control", "no-store")
	switch p.Type.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="hatang"`)
	case http.StatusTooManyRequests:
		h.Set("Retry-After", strconv.Itoa(p.RetryAfterS))
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(retryAfterS))
	}
	return document
}

func sendProblem(w http.ResponseWriter, mediaType string, status int, body []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// A client that has gone cannot be told so; the log line has the status.
	_, _ = w.Write(body)
}
