package zoning

import (
	"math"
	"strconv"
	"strings"

	"hatang/geo"
)

// catalogue holds every sentence a finding or an alternative can say, filed as
// kind/key; a key that ends in _named is said where there is an area to be named. A rule may replace its own sentences in the rule set ("messages");
// what stands in braces is filled. Nothing assigns to it.
var catalogue = map[string]geo.Text{
	"check/input":           {VI: "Đề nghị có giá trị không hợp lệ: {measured}.", EN: "The proposal holds an invalid value: {measured}."},
	"check/rule_set":        {VI: "Bộ quy tắc {rules} không có hiệu lực vào ngày {date}.", EN: "The rule set {rules} is not in force on {date}."},
	"check/no_rules":        {VI: "Không có bộ quy tắc nào có hiệu lực vào ngày {date}.", EN: "No rule set is in force on {date}."},
	"check/territory":       {VI: "Vị trí nằm ngoài phạm vi của quy hoạch; bộ quy tắc {rules} không áp dụng ở đây.", EN: "The place lies outside the area of the plan; the rule set {rules} does not apply here."},
	"check/territory_route": {VI: "{area} không nằm trọn trong phạm vi của một quy hoạch; bộ quy tắc {rules} không áp dụng cho toàn tuyến.", EN: "The {area} does not lie wholly in the area of one plan; the rule set {rules} does not apply to all of it."},
	"check/territory_edge":  {VI: "Vị trí cách ranh giới của quy hoạch {distance}, trong phạm vi sai số {margin}: chưa chắc bộ quy tắc {rules} có áp dụng ở đây hay không.", EN: "The place is {distance} from the edge of the plan's area, within the accuracy of {margin}: it is not certain that the rule set {rules} applies here."},
	"check/urban_edge":      {VI: "Vị trí cách ranh giới giữa đô thị và ngoài đô thị {distance}, trong phạm vi sai số {margin}; phía bên kia ranh giới kết luận sẽ khác.", EN: "The place is {distance} from the border between urban and rural communes, within the accuracy of {margin}; on the other side the verdict would differ."},
	"check/dense_edge":      {VI: "Vị trí cách ranh giới khu đông dân cư {distance}, trong phạm vi sai số {margin}; phía bên kia ranh giới kết luận sẽ khác.", EN: "The place is {distance} from the edge of a densely populated area, within the accuracy of {margin}; on the other side the verdict would differ."},
	"check/no_zone":         {VI: "Không có khu vực quy hoạch cột nào có hiệu lực tại vị trí này vào ngày {date}.", EN: "No mast zone of the plan is in force at this place on {date}."},
	"check/class":           {VI: "Khu vực {zone} thuộc loại “{class}” mà bộ quy tắc {rules} không quy định.", EN: "Zone {zone} has the class “{class}”, which the rule set {rules} does not define."},

	"mast_class/pass":             {VI: "Cột đáp ứng định nghĩa loại {type}: {measured} (giới hạn: {required}).", EN: "The mast meets the definition of type {type}: {measured} (limit: {required})."},
	"mast_class/fail":             {VI: "Cột không đáp ứng định nghĩa loại {type}: {measured}, giới hạn là {required}; cột này thuộc loại {otherwise}.", EN: "The mast does not meet the definition of type {type}: {measured}, the limit is {required}; it classifies as {otherwise}."},
	"mast_class/unknown":          {VI: "Chưa thể xác nhận cột thuộc loại {type}: thiếu {missing}.", EN: "It cannot be confirmed that the mast is of type {type}: {missing} missing."},
	"mast_class/stands":           {VI: "Cột đặt {measured} như định nghĩa loại {type}.", EN: "The mast stands {measured}, as masts of type {type} do."},
	"mast_class/stands_elsewhere": {VI: "Cột loại {type} đặt {required}; cột đề nghị đặt {measured}.", EN: "A mast of type {type} stands {required}; the proposed one stands {measured}."},
	"mast_class/concealed":        {VI: "Cột được ngụy trang, thân thiện với môi trường như loại {type} yêu cầu.", EN: "The mast is concealed, as type {type} requires."},
	"mast_class/not_concealed":    {VI: "Loại {type} phải được ngụy trang, thân thiện với môi trường; cột đề nghị thì không, nên thuộc loại {otherwise}.", EN: "Type {type} must be concealed; the proposed mast is not, so it classifies as {otherwise}."},

	"zone_class/pass":          {VI: "{title}: được xây dựng cột loại {required}; loại đề nghị {type} được phép.", EN: "{title}: types {required} may be built; the proposed type {type} is among them."},
	"zone_class/not_preferred": {VI: "{title}: được xây dựng cột loại {required}; loại đề nghị {type} được phép, khuyến khích loại {preferred}.", EN: "{title}: types {required} may be built; the proposed type {type} is among them, type {preferred} is encouraged."},
	"zone_class/fail":          {VI: "Khu vực này chỉ được xây dựng cột loại {required}; loại đề nghị là {type} ({title}).", EN: "Only masts of type {required} may be built here; the proposed type is {type} ({title})."},
	"zone_class/unknown":       {VI: "{title}: vị trí cách ranh giới khu vực {distance}, trong phạm vi sai số {margin}; phía bên kia ranh giới kết luận sẽ khác.", EN: "{title}: the place is {distance} from the zone's edge, within the accuracy of {margin}; on the other side the verdict would differ."},
	"zone_class/later":         {VI: "{title}: hạn chế từ {date}; khi đó chỉ được xây dựng cột loại {required}.", EN: "{title}: restricted from {date}; from then on only types {required} may be built."},

	"structure/pass":    {VI: "Kết cấu {measured} được chấp nhận cho cột loại {type} tại đây.", EN: "The structure ({measured}) is accepted for a type {type} mast here."},
	"structure/fail":    {VI: "Cột loại {type} tại đây phải là {required}; kết cấu đề nghị là {measured}.", EN: "A type {type} mast must be {required} here; the proposed structure is {measured}."},
	"structure/unknown": {VI: "Cột loại {type} tại đây phải là {required}; chưa cho biết {missing}.", EN: "A type {type} mast must be {required} here; {missing} is not given."},

	"spacing/pass":           {VI: "Cột gần nhất {mast} cách {measured}; khoảng cách tối thiểu là {required}.", EN: "The nearest mast {mast} is {measured} away; the minimum is {required}."},
	"spacing/none":           {VI: "Không có cột nào được tính trong phạm vi {required}.", EN: "No mast that counts lies within {required}."},
	"spacing/fail":           {VI: "Cột {mast} chỉ cách {measured}; khoảng cách tối thiểu là {required}.", EN: "Mast {mast} is only {measured} away; the minimum is {required}."},
	"spacing/unknown":        {VI: "Cột {mast} cách {measured}; khoảng cách tối thiểu phụ thuộc vào {missing} chưa được cung cấp.", EN: "Mast {mast} is {measured} away; the minimum depends on {missing}, which is not given."},
	"spacing/unknown_margin": {VI: "Cột {mast} cách {measured}, trong phạm vi sai số {margin} quanh khoảng cách tối thiểu {required}.", EN: "Mast {mast} is {measured} away, within the accuracy of {margin} about the minimum of {required}."},

	"sharing/pass":    {VI: "Không có cột nào trong phạm vi {required} còn khả năng dùng chung.", EN: "No mast within {required} could carry one more operator."},
	"sharing/fail":    {VI: "Cột {mast} cách {measured} (trong phạm vi {required}) đang có {count} doanh nghiệp, tối đa {limit}: cần xem xét dùng chung.", EN: "Mast {mast}, {measured} away (within {required}), carries {count} of at most {limit} operators: sharing it should come first."},
	"sharing/refused": {VI: "Cột {mast} cách {measured} đã bị từ chối dùng chung ngày {date} (đề nghị số {request}): không phải dùng chung cột này.", EN: "Mast {mast}, {measured} away, was refused for sharing on {date} (request {request}): it need not be shared."},

	"setback/pass":    {VI: "Vị trí cách {area} {measured}; yêu cầu {required}.", EN: "The place is {measured} from {area}; {required} is required."},
	"setback/fail":    {VI: "Vị trí chỉ cách {area} {measured}; yêu cầu {required}.", EN: "The place is only {measured} from {area}; {required} is required."},
	"setback/unknown": {VI: "Khoảng lùi phụ thuộc vào {missing} chưa được cung cấp.", EN: "The setback depends on {missing}, which is not given."},

	"consultation/pass":          {VI: "Không phải lấy ý kiến {authority}.", EN: "No consultation of {authority} is needed."},
	"consultation/area":          {VI: "{title}: phải lấy ý kiến của {authority}{period}.", EN: "{title}: {authority} must be consulted{period}."},
	"consultation/height":        {VI: "{title}: đỉnh cột cao {measured} so với mặt đất, từ {required} trở lên phải lấy ý kiến của {authority}{period}.", EN: "{title}: the top is {measured} above ground; from {required} on, {authority} must be consulted{period}."},
	"consultation/area_named":    {VI: "{title}: vị trí nằm trong {area}, phải lấy ý kiến của {authority}{period}.", EN: "{title}: the place lies within {area}; {authority} must be consulted{period}."},
	"consultation/height_named":  {VI: "{title}: đỉnh cột cao {measured} so với mặt đất; trong {area}, cao quá {required} phải lấy ý kiến của {authority}{period}.", EN: "{title}: the top is {measured} above ground; within {area}, what is higher than {required} calls for consulting {authority}{period}."},
	"consultation/unknown_named": {VI: "{title}: vị trí nằm trong {area}, chưa biết có phải lấy ý kiến của {authority} hay không: thiếu {missing}.", EN: "{title}: the place lies within {area}; whether {authority} must be consulted is not known: {missing} missing."},
	"consultation/unknown":       {VI: "{title}: chưa biết có phải lấy ý kiến của {authority} hay không: thiếu {missing}.", EN: "{title}: whether {authority} must be consulted is not known: {missing} missing."},

	"check/no_cables": {VI: "Bộ quy tắc {rules} không có quy định nào về cáp.", EN: "The rule set {rules} has no rules about cables."},

	"cable/missing":         {VI: "{title}: thiếu {missing}.", EN: "{title}: {missing} missing."},
	"cable/zone":            {VI: "{title}: {measured} tuyến cáp treo nằm trong khu vực phải ngầm hóa {zone}, hiệu lực từ {date}; được phép treo {required}.", EN: "{title}: {measured} of the overhead route lies in undergrounding zone {zone}, in force from {date}; {required} may hang there."},
	"cable/later":           {VI: "{title}: {measured} tuyến nằm trong khu vực {zone}, phải ngầm hóa từ {date}.", EN: "{title}: {measured} of the route lies in zone {zone}, where cables go underground from {date}."},
	"cable/underground":     {VI: "{title}: {measured} tuyến nằm trong khu vực {zone} và được đi ngầm.", EN: "{title}: {measured} of the route lies in zone {zone}, and runs underground."},
	"cable/renovated":       {VI: "{title}: {measured} cáp đang treo trong khu vực {zone} chưa đủ điều kiện ngầm hóa được cải tạo, chỉnh trang.", EN: "{title}: {measured} of cable that hangs in zone {zone} is tidied up until it can go underground."},
	"cable/no_zone":         {VI: "{title}: tuyến không đi qua khu vực ngầm hóa nào.", EN: "{title}: the route passes through no undergrounding zone."},
	"cable/new_project":     {VI: "{title}: dự án mới phải ngầm hóa {required}; {measured} tuyến được đề nghị treo.", EN: "{title}: new projects go underground to {required}; {measured} of the route is proposed overhead."},
	"cable/all_underground": {VI: "{title}: dự án mới được ngầm hóa {required}.", EN: "{title}: the new project is underground to {required}."},
	"cable/no_project":      {VI: "{title}: không thuộc dự án mới.", EN: "{title}: not part of a new project."},
	"cable/height_pass":     {VI: "{title}: cột cao {measured}, trong khoảng {required}.", EN: "{title}: the poles are {measured} high, within {required}."},
	"cable/height_fail":     {VI: "{title}: cột cao {measured}, ngoài khoảng {required}.", EN: "{title}: the poles are {measured} high, outside {required}."},
	"cable/poles":           {VI: "{title}: {measured} tuyến đi cùng tuyến {class} {mast} (gần nhất {distance}, trong phạm vi {margin}); từ {required} trở lên thì tuyến cột này được ưu tiên.", EN: "{title}: {measured} of the route runs beside the {class} {mast} (as near as {distance}, within {margin}); from {required} on that line comes first."},
	"cable/no_poles":        {VI: "{title}: không có tuyến cột nào được ưu tiên trong phạm vi {margin} dọc tuyến.", EN: "{title}: no line of poles that comes first runs within {margin} of the route."},
	"cable/agreement":       {VI: "{title}: phải có thỏa thuận của chủ sở hữu.", EN: "{title}: the owner's agreement is needed."},
	"cable/agreed":          {VI: "{title}: chủ sở hữu đã đồng ý.", EN: "{title}: the owner agrees."},
	"cable/not_agreed":      {VI: "{title}: chủ sở hữu không đồng ý.", EN: "{title}: the owner does not agree."},
	"cable/tidy":            {VI: "{title}: cáp phải được buộc gọn, bảo đảm mỹ quan.", EN: "{title}: the cables must be bundled and tidy."},
	"cable/consent":         {VI: "{title}: phải có ý kiến và sự đồng ý của {authority}{period}.", EN: "{title}: the opinion and consent of {authority} is needed{period}."},
	"cable/consent_named":   {VI: "{title}: tuyến đi qua {area}, phải có ý kiến và sự đồng ý của {authority}{period}.", EN: "{title}: the route meets {area}; the opinion and consent of {authority} is needed{period}."},
	"cable/no_consent":      {VI: "{title}: không cần sự đồng ý của {authority}.", EN: "{title}: no consent of {authority} is needed."},

	"alternative/carrier":      {VI: "Có thể đi cáp bằng {measured}: {required}.", EN: "The cable could run by {measured}: {required}."},
	"alternative/mast_type":    {VI: "Tại vị trí này được phép xây dựng cột loại {type}.", EN: "A mast of type {type} is permitted by the zones at this place."},
	"alternative/structure":    {VI: "Cùng loại cột với kết cấu {measured} được chấp nhận.", EN: "The same type of mast is accepted as {measured}."},
	"alternative/nearest":      {VI: "Nơi gần nhất đáp ứng: {area}, cách {measured} về phía {otherwise}: {required}.", EN: "The nearest place for this mast: {area}, {measured} to the {otherwise}: {required}."},
	"alternative/nearest_here": {VI: "Vị trí đề nghị đã là nơi phù hợp: {required}.", EN: "The place proposed is itself the nearest: {required}."},
	"alternative/nearest_none": {VI: "Trong vòng {distance} không có nơi nào cột này được phép mà không vướng mắc.", EN: "Within {distance} there is no place where this mast is permitted and nothing speaks against it."},
	"alternative/nowhere":      {VI: "Không nơi nào được phép: chính cột đề nghị chưa đáp ứng {rules}.", EN: "There is no such place: the mast itself does not meet {rules}, wherever it stands."},

	"alternative/share": {VI: "Dùng chung cột {mast}, cách {measured}, đang có {count} trên tối đa {limit} doanh nghiệp.", EN: "Share mast {mast}, {measured} away, which carries {count} of at most {limit} operators."},
}

// vocabulary names fields and structures in sentences.
var vocabulary = map[string]geo.Text{
	"height_m":                 {VI: "chiều cao cột (height_m)", EN: "the mast height (height_m)"},
	"half_width_m":             {VI: "khoảng cách từ tâm cột đến điểm ngoài cùng (half_width_m)", EN: "the half width (half_width_m)"},
	"host_building_height_m":   {VI: "chiều cao công trình (host_building_height_m)", EN: "the height of the building (host_building_height_m)"},
	"concealed":                {VI: "thông tin về ngụy trang (concealed)", EN: "whether it is concealed (concealed)"},
	"structure":                {VI: "kết cấu cột (structure)", EN: "the structure (structure)"},
	"new_project":              {VI: "thông tin có thuộc dự án mới hay không (new_project)", EN: "whether it is part of a new project (new_project)"},
	"new_poles":                {VI: "thông tin cột trồng mới hay có sẵn (new_poles)", EN: "whether the poles are new (new_poles)"},
	"pole_height_m":            {VI: "chiều cao cột treo cáp (pole_height_m)", EN: "the height of the poles (pole_height_m)"},
	"telecom":                  {VI: "cột viễn thông", EN: "telecom poles"},
	"electric":                 {VI: "cột điện", EN: "electric poles"},
	"lighting":                 {VI: "cột chiếu sáng", EN: "lighting poles"},
	string(Duct):               {VI: "cống bể ngầm", EN: "an underground duct"},
	string(DirectBuried):       {VI: "chôn trực tiếp", EN: "direct burial"},
	string(TelecomPole):        {VI: "cột viễn thông", EN: "telecom poles"},
	string(ElectricPole):       {VI: "cột điện", EN: "electric poles"},
	string(LightingPole):       {VI: "cột chiếu sáng", EN: "lighting poles"},
	string(geo.SelfSupporting): {VI: "cột tự đứng", EN: "self-supporting"},
	string(geo.Guyed):          {VI: "cột dây co", EN: "guyed"},
	string(geo.Rooftop):        {VI: "cột trên mái", EN: "on a roof"},
	string(geo.Wall):           {VI: "cột gắn tường", EN: "on a wall"},
	string(geo.OtherStructure): {VI: "kết cấu khác", EN: "of another structure"},
}

// same is a value written alike in both languages.
func same(s string) geo.Text { return geo.Text{VI: s, EN: s} }

// toMillimetre rounds a length in metres to the millimetre.
func toMillimetre(v float64) float64 { return math.Round(v*1000) / 1000 }

// metresBeside writes a length so that it can be told from the limit it is
// compared with: with three decimals where one would make them equal.
func metresBeside(v, limitM float64) geo.Text {
	if math.Abs(v-limitM) < 0.1 {
		return metresExact(v)
	}
	return metres(v)
}

// metres writes a length with one decimal at most: "212,4 m" and "212.4 m".
func metres(v float64) geo.Text { return inMetres(math.Round(v*10) / 10) }

// inMetres writes a number of metres with the decimal mark of each language.
func inMetres(v float64) geo.Text {
	var room [32]byte
	digits := append(strconv.AppendFloat(room[:0], v, 'f', -1, 64), " m"...)
	t := same(string(digits))
	if point := strings.IndexByte(t.EN, '.'); point >= 0 {
		digits[point] = ','
		t.VI = string(digits)
	}
	return t
}

// wordsFor joins the vocabulary's names of the given words.
func wordsFor[S ~string](items []S) geo.Text {
	if len(items) == 1 {
		return vocabulary[string(items[0])]
	}
	var vi, en []string
	for _, item := range items {
		t := vocabulary[string(item)]
		vi, en = append(vi, t.VI), append(en, t.EN)
	}
	return geo.Text{VI: strings.Join(vi, ", "), EN: strings.Join(en, ", ")}
}

// metresExact writes a length to the millimetre, for dimensions of masts.
func metresExact(v float64) geo.Text { return inMetres(toMillimetre(v)) }
