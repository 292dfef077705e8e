package notice

import (
	"fmt"
	"slices"
	"strings"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/permit"
)

// sentences say what each kind of notice is about. Nothing else in a notice is words of ours
// but the names of facts.
func sentences() map[permit.NoticeKind]geo.Text {
	return map[permit.NoticeKind]geo.Text{
		permit.NoticeFiled:        {VI: "Hồ sơ mới nộp", EN: "A proposal has been filed"},
		permit.NoticeSupplemented: {VI: "Hồ sơ đã được bổ sung", EN: "A proposal has been supplemented"},
		permit.NoticeWithdrawn:    {VI: "Hồ sơ đã được rút", EN: "A proposal has been withdrawn"},
		permit.NoticeMoreAsked:    {VI: "Hồ sơ cần bổ sung", EN: "More is asked about your proposal"},
		permit.NoticeApproved:     {VI: "Hồ sơ được chấp thuận", EN: "Your proposal is approved"},
		permit.NoticeRefused:      {VI: "Hồ sơ bị từ chối", EN: "Your proposal is refused"},
		permit.NoticeRenewed:      {VI: "Chấp thuận được gia hạn", EN: "Your approval is renewed"},
		permit.NoticeExpired:      {VI: "Chấp thuận hết hiệu lực", EN: "Your approval has expired"},
		permit.NoticeBuilt:        {VI: "Công trình được ghi nhận đã xây dựng", EN: "What was approved is recorded as built"},
		permit.NoticeConsulted:    {VI: "Cơ quan được hỏi ý kiến về hồ sơ", EN: "Your agency is asked about a proposal"},
		permit.NoticeAnswered:     {VI: "Cơ quan đã trả lời về hồ sơ", EN: "An agency has answered about a proposal"},
		permit.NoticeOverdue:      {VI: "Hồ sơ quá hạn", EN: "A proposal is overdue"},
		permit.NoticeExpiring:     {VI: "Chấp thuận sắp hết hiệu lực", EN: "Your approval expires soon"},
		permit.NoticeNotBuilt:     {VI: "Chưa xây dựng trong thời hạn của chấp thuận", EN: "What was approved was not built in time"},

		permit.NoticeShareAsked:     {VI: "Đơn vị bạn được đề nghị dùng chung hạ tầng", EN: "Your organisation is asked to share"},
		permit.NoticeShareAccepted:  {VI: "Đề nghị dùng chung được chấp nhận", EN: "A request to share is accepted"},
		permit.NoticeShareDeclined:  {VI: "Đề nghị dùng chung không được chấp nhận", EN: "A request to share is declined"},
		permit.NoticeShareMediation: {VI: "Sở hoà giải đề nghị dùng chung", EN: "A request to share is in mediation"},
		permit.NoticeShareAgreed:    {VI: "Các bên đã thoả thuận dùng chung", EN: "An agreement to share is made"},
		permit.NoticeShareRefused:   {VI: "Hoà giải không thành, sở ghi nhận việc từ chối dùng chung", EN: "Mediation has ended: the refusal to share is recorded"},
		permit.NoticeShareWithdrawn: {VI: "Đề nghị dùng chung đã được rút", EN: "A request to share is withdrawn"},
		permit.NoticeShareDue:       {VI: "Đề nghị dùng chung sắp đến hạn xử lý", EN: "A request to share is due soon"},
		permit.NoticeShareOverdue:   {VI: "Đề nghị dùng chung quá hạn", EN: "A request to share is overdue"},
	}
}

// states are the names of the states of proposals.
func states() map[permit.FileState]geo.Text {
	return map[permit.FileState]geo.Text{
		permit.Filed: {VI: "đã nộp", EN: "filed"}, permit.MoreAsked: {VI: "chờ bổ sung", EN: "more asked"}, permit.Supplemented: {VI: "đã bổ sung", EN: "supplemented"},
		permit.Consulting: {VI: "đang lấy ý kiến", EN: "agencies are asked"}, permit.Approved: {VI: "được chấp thuận", EN: "approved"}, permit.Refused: {VI: "bị từ chối", EN: "refused"},
		permit.Withdrawn: {VI: "đã rút", EN: "withdrawn"}, permit.Expired: {VI: "hết hiệu lực", EN: "expired"}, permit.Built: {VI: "đã xây dựng", EN: "built"},
	}
}

// answers are what agencies answer.
func answers() map[account.Answer]geo.Text {
	return map[account.Answer]geo.Text{"agreed": {VI: "đồng ý", EN: "agreed"}, "agreed_with_conditions": {VI: "đồng ý có điều kiện", EN: "agreed, with conditions"},
		"objected": {VI: "không đồng ý", EN: "objected"}, "no_remark": {VI: "không có ý kiến", EN: "no remark"}}
}

// shareStates are the names of the states of requests to share.
func shareStates() map[permit.ShareState]geo.Text {
	return map[permit.ShareState]geo.Text{
		permit.ShareAsked: {VI: "chờ trả lời", EN: "waiting for an answer"}, permit.ShareAccepted: {VI: "được chấp nhận", EN: "accepted"}, permit.ShareDeclined: {VI: "không được chấp nhận", EN: "declined"},
		permit.ShareMediation: {VI: "đang hoà giải", EN: "in mediation"}, permit.ShareAgreed: {VI: "đã thoả thuận", EN: "agreed"}, permit.ShareRefused: {VI: "hoà giải không thành", EN: "refused"},
		permit.ShareWithdrawn: {VI: "đã rút", EN: "withdrawn"},
	}
}

// shared are the names of what is asked for, by layer.
func shared() map[string]geo.Text {
	return map[string]geo.Text{"bts_sites": {VI: "cột ăng ten", EN: "mast"}, "ducts": {VI: "cống bể cáp", EN: "duct"}, "pole_lines": {VI: "tuyến cột treo cáp", EN: "pole line"}}
}

// asked says what a request asks for, and of whom.
func asked(r *permit.ShareRequest) geo.Text {
	kind, who := shared()[r.Collection], r.Asker+" → "+strings.Join(r.Between()[1:], ", ")
	if r.Code == nil {
		return geo.Text{VI: "cùng xây dựng " + kind.VI + " (" + who + ")", EN: "to build a " + kind.EN + " together (" + who + ")"}
	}
	return geo.Text{VI: kind.VI + " " + *r.Code + " (" + who + ")", EN: kind.EN + " " + *r.Code + " (" + who + ")"}
}

// Subject is one line about a notice.
func Subject(n *permit.Notice) geo.Text {
	s, of := sentences()[n.Kind], geo.Text{VI: n.File.Title, EN: n.File.Title}
	if n.Share != nil {
		of = asked(n.Share)
	}
	return geo.Text{VI: s.VI + ": " + of.VI, EN: s.EN + ": " + of.EN}
}

// Body says what the receiver may know of what the notice is about, with its addresses below
// publicURL, on the page and of the API; "" for none. It is the same in a mail and to a program.
func Body(n *permit.Notice, publicURL string) geo.Text {
	var b body
	s := sentences()[n.Kind]
	b.lines(s.VI+".", s.EN+".")
	b.lines("", "")
	if n.Share != nil {
		b.share(n, publicURL)
	} else {
		b.proposal(n, publicURL)
	}
	return geo.Text{VI: strings.Join(b.vi, "\n") + "\n", EN: strings.Join(b.en, "\n") + "\n"}
}

func (b *body) share(n *permit.Notice, publicURL string) {
	r := n.Share
	of, after := asked(r), r.State
	if i := slices.IndexFunc(r.Steps, func(s permit.ShareStep) bool { return s.Revision == n.Revision }); i >= 0 {
		after = r.Steps[i].After
	}
	b.lines("Đề nghị: "+of.VI, "Request: "+of.EN)
	b.fact("Số", "Number", r.Number)
	if b.state(shareStates()[after], shareStates()[r.State]) {
		b.day("Hạn của bước tiếp theo", "Next step due on", r.DueOn)
	}
	b.fact("Nội dung", "Reasons", n.Reasons())
	b.addresses(publicURL, "/#sharing="+r.Number, "/sharing-requests/"+r.Number)
}

func (b *body) proposal(n *permit.Notice, publicURL string) {
	b.fact("Hồ sơ", "Proposal", fmt.Sprintf("%s (%d)", n.File.Title, n.File.ID))
	b.fact("Đơn vị nộp", "Filed by", n.File.Organisation)
	after := n.File.State
	if step := n.Step(); step != nil {
		after = step.After
	}
	b.fact("Cơ quan", "Agency", n.Agency)
	if a, known := answers()[n.Answer()]; known {
		b.lines("Trả lời: "+a.VI, "Answer: "+a.EN)
	}
	if b.state(states()[after], states()[n.File.State]) {
		b.day("Hạn của bước tiếp theo", "Next step due on", n.File.DueOn)
		b.day("Hiệu lực đến hết ngày", "Approval holds until the end of", n.File.ExpiresOn)
		if n.File.Decision != nil {
			b.fact("Số quyết định", "Decision", *n.File.Decision)
		}
	}
	b.fact("Nội dung", "Reasons", n.Reasons())
	if step := n.Step(); step != nil {
		for _, condition := range step.Conditions {
			b.fact("Điều kiện", "Condition", condition)
		}
	}
	b.addresses(publicURL, fmt.Sprintf("/#proposal=%d", n.File.ID), fmt.Sprintf("/proposals/%d", n.File.ID))
}

// body is a text in the making, line by line.
type body struct{ vi, en []string }

func (b *body) lines(vi, en string) { b.vi, b.en = append(b.vi, vi), append(b.en, en) }

// state says to which state the step has led that the notice is about, and which there is by now
// where that is another; it reports whether it is the same, and what else is told of it still holds.
func (b *body) state(after, now geo.Text) (same bool) {
	b.lines("Trạng thái: "+after.VI, "State: "+after.EN)
	if after != now {
		b.lines("Hiện nay: "+now.VI, "By now: "+now.EN)
	}
	return after == now
}

// fact is left out where there is none.
func (b *body) fact(vi, en, value string) {
	if value != "" {
		b.lines(vi+": "+value, en+": "+value)
	}
}

// addresses are those on the page and of the API.
func (b *body) addresses(publicURL, page, path string) {
	if publicURL == "" {
		return
	}
	root := strings.TrimSuffix(publicURL, "/")
	b.lines("", "")
	b.fact("Mở trên trang", "On the page", root+page)
	b.fact("API", "API", root+"/api/v1"+path)
}

func (b *body) day(vi, en string, d geo.Date) {
	if !d.IsZero() {
		b.lines(vi+": "+d.Text().VI, en+": "+d.Text().EN)
	}
}

// footer says why a person gets a mail, and how to get none.
func footer() geo.Text {
	return geo.Text{VI: "Thư tự động của Hatang. Để không nhận thư: PUT /api/v1/session/notices với {\"on\": false}, hoặc báo quản trị.",
		EN: "Sent by Hatang by itself. To get no more: PUT /api/v1/session/notices with {\"on\": false}, or tell an administrator."}
}
