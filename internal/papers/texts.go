package papers

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// texts are the words of papers, by key.
var texts = map[string]geo.Text{
	"number":           {VI: "Số: %s", EN: "No. %s"},
	"placement":        {VI: "Kết luận kiểm tra vị trí cột ăng ten", EN: "Verdict on a mast site"},
	"cable":            {VI: "Kết luận kiểm tra tuyến cáp", EN: "Verdict on a cable route"},
	"decision":         {VI: "Quyết định về đề nghị xây dựng", EN: "Decision on a proposal to build"},
	"by_rules":         {VI: "Theo bộ quy tắc %s, xét cho ngày %s", EN: "By the rule set %s, judged for %s"},
	"on_date":          {VI: "Xét cho ngày %s", EN: "Judged for %s"},
	"verdict":          {VI: "Kết luận: %s", EN: "Verdict: %s"},
	"outcome":          {VI: "Kết quả: %s", EN: "Outcome: %s"},
	"approved":         {VI: "Chấp thuận", EN: "Approved"},
	"approved_if":      {VI: "Chấp thuận có điều kiện", EN: "Approved with conditions"},
	"refused":          {VI: "Không chấp thuận", EN: "Refused"},
	"provisional":      {VI: "Kết luận tạm thời: có căn cứ là vị trí hoặc hình dạng minh họa, không phải số đo.", EN: "Provisional: it rests on places or shapes that are illustrative, not measured."},
	"generalised":      {VI: "Được xét trên vị trí cột đã làm tròn như công bố cho công chúng.", EN: "It was judged by the places of masts as the public is shown them, rounded."},
	"question":         {VI: "Nội dung đề nghị", EN: "What was asked"},
	"wgs84":            {VI: "Tọa độ WGS 84", EN: "Coordinates, WGS 84"},
	"lonlat":           {VI: "kinh độ %s°, vĩ độ %s°", EN: "longitude %s°, latitude %s°"},
	"grid":             {VI: "Tọa độ %s", EN: "Coordinates, %s"},
	"xy":               {VI: "X (bắc) = %s m, Y (đông) = %s m", EN: "northing %s m, easting %s m"},
	"unit":             {VI: "Đơn vị hành chính", EN: "Administrative unit"},
	"length":           {VI: "Chiều dài tuyến", EN: "Length of the route"},
	"operator":         {VI: "Doanh nghiệp", EN: "Operator"},
	"judged_for":       {VI: "Xét cho ngày", EN: "Judged for"},
	"map":              {VI: "Bản đồ", EN: "Map"},
	"map_title":        {VI: "Bản đồ vị trí và các căn cứ xung quanh", EN: "Map of the place and what the findings rest on"},
	"map_now":          {VI: "Vẽ theo dữ liệu hiện có của hệ thống, có hiệu lực ngày %s, trong phạm vi người xem được phép xem. %s.", EN: "Drawn from the register as it is now, as in force on %s, as far as the viewer may see it. %s."},
	"map_grid":         {VI: "Lưới tọa độ %s", EN: "Grid: %s"},
	"map_plane":        {VI: "Hướng bắc địa lý tại tâm bản đồ", EN: "North is true at the middle of the map"},
	"map_rounded":      {VI: "Vị trí được làm tròn theo quy định công bố.", EN: "Places are rounded as they are published."},
	"north":            {VI: "B", EN: "N"},
	"findings":         {VI: "Kết quả theo từng quy tắc", EN: "Findings, rule by rule"},
	"no_findings":      {VI: "Không có quy tắc nào phải xét.", EN: "No rule was about it."},
	"rule":             {VI: "Quy tắc, điều khoản", EN: "Rule, clause"},
	"result":           {VI: "Kết quả", EN: "Outcome"},
	"measured":         {VI: "Thực tế", EN: "Measured"},
	"required":         {VI: "Yêu cầu", EN: "Required"},
	"margin":           {VI: "Chênh lệch (m)", EN: "Margin (m)"},
	"pass":             {VI: "Đạt", EN: "Met"},
	"fail":             {VI: "Không đạt", EN: "Not met"},
	"condition":        {VI: "Có điều kiện", EN: "Condition"},
	"unknown":          {VI: "Chưa rõ", EN: "Unknown"},
	"notice":           {VI: "Lưu ý", EN: "Notice"},
	"binding":          {VI: "bắt buộc", EN: "binding"},
	"advisory":         {VI: "khuyến nghị", EN: "advisory"},
	"to_be_met":        {VI: "phải đáp ứng", EN: "to be met"},
	"evidence":         {VI: "Căn cứ: %s.", EN: "Evidence: %s."},
	"source":           {VI: "Nguồn: %s.", EN: "Source: %s."},
	"rule_and_data":    {VI: "Theo bộ quy tắc %s, dữ liệu có hiệu lực ngày %s.", EN: "By the rule set %s, of the data in force on %s."},
	"draft":            {VI: "dự thảo", EN: "draft"},
	"recorded_on":      {VI: "ghi nhận ngày %s", EN: "recorded on %s"},
	"missing":          {VI: "Còn thiếu: %s.", EN: "Missing: %s."},
	"decides":          {VI: "quyết định kết luận", EN: "decides"},
	"instead":          {VI: "Phương án được phép thay thế", EN: "What would be allowed instead"},
	"allowed_types":    {VI: "Loại cột được phép tại đây: %s.", EN: "Types of mast that are allowed here: %s."},
	"basis":            {VI: "Căn cứ của kết luận", EN: "What it rests on"},
	"data":             {VI: "Dữ liệu tính đến", EN: "Data as known at"},
	"rule_set":         {VI: "Bộ quy tắc", EN: "Rule set"},
	"rule_set_sum":     {VI: "SHA-256 của bộ quy tắc", EN: "SHA-256 of the rule set"},
	"filed_with":       {VI: "Nộp cùng hồ sơ", EN: "Filed with the proposal"},
	"feature":          {VI: "Đối tượng", EN: "Feature"},
	"standing":         {VI: "Tính chất", EN: "Standing"},
	"is_provisional":   {VI: "tạm thời", EN: "provisional"},
	"is_final":         {VI: "không dựa trên dữ liệu minh họa", EN: "rests on no illustrative data"},
	"seal":             {VI: "Chữ ký điện tử", EN: "Electronic signature"},
	"recorded":         {VI: "Ghi nhận lúc", EN: "Recorded at"},
	"algorithm":        {VI: "Thuật toán, khóa", EN: "Algorithm, key"},
	"sum":              {VI: "SHA-256 của nội dung", EN: "SHA-256 of the body"},
	"signature":        {VI: "Chữ ký", EN: "Signature"},
	"checked":          {VI: "Kiểm tra khi lập bản này", EN: "When this was made"},
	"valid":            {VI: "chữ ký và mọi dữ liệu lưu cùng đều đúng", EN: "the signature and all that is kept with it hold"},
	"ask":              {VI: "Kiểm tra số %s bằng cách quét mã hoặc mở địa chỉ (mã tra cứu %s):", EN: "To verify No. %s, scan the code or open the address (code %s):"},
	"ask_decision":     {VI: "Kiểm tra số %s trong sổ quyết định công khai bằng cách quét mã hoặc mở địa chỉ:", EN: "To look up No. %s in the public register, scan the code or open the address:"},
	"signer":           {VI: "Người có thẩm quyền", EN: "Authorised signature"},
	"signer_hint":      {VI: "(Ký, ghi rõ họ tên và đóng dấu)", EN: "(signature, name and stamp)"},
	"about":            {VI: "Nội dung quyết định", EN: "What is decided"},
	"organisation":     {VI: "Đơn vị đề nghị", EN: "Who proposed it"},
	"decided_on":       {VI: "Ngày quyết định", EN: "Decided on"},
	"proposal":         {VI: "Hồ sơ", EN: "Proposal"},
	"state":            {VI: "Hiện nay", EN: "At present"},
	"state_built":      {VI: "đã xây dựng xong", EN: "built"},
	"state_expired":    {VI: "đã hết hiệu lực mà chưa xây dựng", EN: "ended without being built"},
	"expires_on":       {VI: "Được xây dựng đến hết ngày", EN: "To be built by"},
	"conditions":       {VI: "Điều kiện", EN: "Conditions"},
	"no_conditions":    {VI: "Không có điều kiện.", EN: "There are none."},
	"reasons":          {VI: "Lý do", EN: "Reasons"},
	"reasons_kept":     {VI: "Lý do được thông báo cho đơn vị đề nghị; sổ công khai không nêu.", EN: "The reasons are told to who proposed it; the public register does not give them."},
	"features":         {VI: "Đối tượng được chấp thuận", EN: "What is approved"},
	"refused_features": {VI: "Đối tượng đã đề nghị", EN: "What was proposed"},
	"no_features":      {VI: "Không có đối tượng nào để nêu.", EN: "There is none to be told."},
	"layer":            {VI: "Lớp", EN: "Layer"},
	"code":             {VI: "Mã, tên", EN: "Code, name"},
	"status":           {VI: "Tình trạng", EN: "Status"},
	"place":            {VI: "Vị trí", EN: "Place"},
	"checks":           {VI: "Kết quả kiểm tra hồ sơ", EN: "What the checks found"},
	"check_of":         {VI: "%s: %s", EN: "%s: %s"},
	"not_checked":      {VI: "chưa kiểm tra được", EN: "could not be checked"},
	"by_verdict":       {VI: "%s, %s, bộ quy tắc %s, dữ liệu ngày %s", EN: "%s, %s, rule set %s, data of %s"},
	"each_other":       {VI: "so với các cột khác của hồ sơ", EN: "beside the other masts of the proposal"},
	"unnumbered":       {VI: "chưa ghi nhận", EN: "not recorded"},
	"mast":             {VI: "cột được xét", EN: "the mast asked about"},
	"route":            {VI: "tuyến được xét", EN: "the route asked about"},
	"decided_feature":  {VI: "đối tượng được chấp thuận", EN: "what is approved"},
	"refused_feature":  {VI: "đối tượng đã đề nghị", EN: "what was proposed"},
	"carrier":          {VI: "Cách đi cáp", EN: "Carried by"},
	"duct":             {VI: "cống bể ngầm", EN: "an underground duct"},
	"direct":           {VI: "chôn trực tiếp", EN: "direct burial"},
	"telecom_pole":     {VI: "cột viễn thông", EN: "telecom poles"},
	"electric_pole":    {VI: "cột điện", EN: "electric poles"},
	"lighting_pole":    {VI: "cột chiếu sáng", EN: "lighting poles"},
	"new_project":      {VI: "Thuộc dự án mới", EN: "Part of a new project"},
	"new_poles":        {VI: "Trồng cột mới", EN: "New poles"},
	"renovation":       {VI: "Cải tạo, chỉnh trang cáp đang treo", EN: "Tidies up what hangs"},
	"pole_height_m":    {VI: "Chiều cao cột treo cáp (m)", EN: "Height of the poles (m)"},
	"owner_agreement":  {VI: "Chủ sở hữu đồng ý", EN: "The owner agrees"},
	"asked_about":      {VI: "Cột được hỏi (id vị trí cột)", EN: "Mast asked about (id of the site)"},
	"accuracy_m":       {VI: "Sai số vị trí (m)", EN: "Accuracy of the place (m)"},
	"true":             {VI: "có", EN: "yes"},
	"false":            {VI: "không", EN: "no"},
	"date_in_full":     {VI: "ngày %02d tháng %02d năm %d", EN: ""},
	"date_of_no_place": {VI: "Ngày %02d tháng %02d năm %d", EN: ""},
}

// say is a text of the catalogue in a language, with args in it.
func say(language, key string, args ...any) string {
	text := texts[key].In(language)
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// date writes a day: 31/12/2020 in Vietnamese, 31 Dec 2020 in English; "–" for none.
func date(language string, d geo.Date) string {
	switch {
	case d.IsZero():
		return "–"
	case language == "vi":
		return d.Text().VI
	}
	return d.Time().Format("2 Jan 2006")
}

// dated writes place and day as they stand at the top of papers.
func dated(language, place string, d geo.Date) string {
	day := d.Time()
	if language != "vi" {
		return strings.TrimPrefix(place+", ", ", ") + d.Text().EN
	}
	key := "date_in_full"
	if place == "" {
		key = "date_of_no_place"
	}
	return strings.TrimPrefix(place+", ", ", ") + say(language, key, day.Day(), int(day.Month()), day.Year())
}

// instant writes a time to the second, in its zone.
func instant(language string, at time.Time) string {
	return date(language, geo.DateOf(at)) + at.Format(" 15:04:05 UTC-07:00")
}

// number writes a number with so many decimals at most, in the signs of a language.
func number(language string, x float64, decimals int) string {
	scale := math.Pow10(decimals)
	whole, fraction, broken := strings.Cut(strconv.FormatFloat(math.Round(x*scale)/scale, 'f', -1, 64), ".")
	point, thousand := ".", ","
	if language == "vi" {
		point, thousand = ",", "."
	}
	sign := ""
	if rest, negative := strings.CutPrefix(whole, "-"); negative {
		sign, whole = "−", rest
	}
	for i := len(whole) - 3; i > 0 && len(whole) > 4; i -= 3 {
		whole = whole[:i] + thousand + whole[i:]
	}
	if broken {
		whole += point + fraction
	}
	return sign + whole
}

// metres writes a length: to the decimetre, and to the millimetre where it would be told from
// nothing else.
func metres(language string, x float64) string {
	if math.Abs(x) < 0.1 {
		return number(language, x, 3)
	}
	return number(language, x, 1)
}

// coordinates writes a place: in degrees, and in metres of a grid that has some there.
func coordinates(language string, p orb.Point, grid geo.CRS) []Fact {
	facts := []Fact{{say(language, "wgs84"), lonLat(language, p)}}
	if xy, ok := gridPlace(p, grid); ok {
		facts = append(facts, Fact{say(language, "grid", grid.Name()+" ("+grid.String()+")"), xyText(language, xy)})
	}
	return facts
}

func lonLat(language string, p orb.Point) string {
	return say(language, "lonlat", number(language, p[0], 7), number(language, p[1], 7))
}

func xyText(language string, xy orb.Point) string {
	return say(language, "xy", number(language, xy[1], 2), number(language, xy[0], 2))
}

// gridPlace is a place in metres of a grid; false where the grid is none for there.
func gridPlace(p orb.Point, grid geo.CRS) (orb.Point, bool) {
	if !grid.Projected() || !grid.AreaOfUse().Contains(p) {
		return orb.Point{}, false
	}
	xy, err := grid.Forward(p)
	return xy, err == nil
}
