package notice

import (
	"fmt"
	"strings"

	"hatang/geo"
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

// Subject is one line about a notice.
func Subject(n *permit.Notice) geo.Text {
	s := sentences()[n.Kind]
	return geo.Text{VI: s.VI + ": " + n.File.Title, EN: s.EN + ": " + n.File.Title}
}

// Body says what the receiver may know of the proposal, with its addresses below publicURL, on
// the page and of the API; "" for none. It is the same in a mail and to a program.
func Body(n *permit.Notice, publicURL string) geo.Text {
	var b body
	s := sentences()[n.Kind]
	b.lines(s.VI+".", s.EN+".")
	b.lines("", "")
	b.fact("Hồ sơ", "Proposal", fmt.Sprintf("%s (%d)", n.File.Title, n.File.ID))
	b.fact("Đơn vị nộp", "Filed by", n.File.Organisation)
	state := states()[n.File.State]
	b.lines("Trạng thái: "+state.VI, "State: "+state.EN)
	b.fact("Cơ quan", "Agency", n.Agency)
	b.day("Hạn của bước tiếp theo", "Next step due on", n.File.DueOn)
	b.day("Hiệu lực đến hết ngày", "Approval holds until the end of", n.File.ExpiresOn)
	if n.File.Decision != nil {
		b.fact("Số quyết định", "Decision", *n.File.Decision)
	}
	if step := n.Step(); step != nil {
		if step.Reasons != nil {
			b.fact("Nội dung", "Reasons", *step.Reasons)
		}
		for _, condition := range step.Conditions {
			b.fact("Điều kiện", "Condition", condition)
		}
	}
	if publicURL != "" {
		b.lines("", "")
		root := strings.TrimSuffix(publicURL, "/")
		b.fact("Mở trên trang", "On the page", fmt.Sprintf("%s/#proposal=%d", root, n.File.ID))
		b.fact("API", "API", fmt.Sprintf("%s/api/v1/proposals/%d", root, n.File.ID))
	}
	return geo.Text{VI: strings.Join(b.vi, "\n") + "\n", EN: strings.Join(b.en, "\n") + "\n"}
}

// body is a text in the making, line by line.
type body struct{ vi, en []string }

func (b *body) lines(vi, en string) { b.vi, b.en = append(b.vi, vi), append(b.en, en) }

// fact is left out where there is none.
func (b *body) fact(vi, en, value string) {
	if value != "" {
		b.lines(vi+": "+value, en+": "+value)
	}
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
