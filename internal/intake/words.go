package intake

// synonyms are other words for the values of vocabularies, by field: what people write
// beside the codes and titles. They are compared without marks, case and blanks.
func synonyms() map[string]map[string][]string {
	operators := map[string][]string{
		"VNPT":         {"vnpt", "vinaphone", "vina phone", "vina", "vnpt vinaphone", "vnp", "vnpt điện biên", "tập đoàn bưu chính viễn thông việt nam"},
		"VIETTEL":      {"viettel", "vtl", "viettel điện biên", "tập đoàn công nghiệp viễn thông quân đội"},
		"MOBIFONE":     {"mobifone", "mobi", "mobi fone", "vms", "mbf"},
		"VIETNAMOBILE": {"vietnamobile", "vietnam mobile", "vnm", "hanoi telecom"},
		"SFONE":        {"sfone", "s-fone", "s fone", "s-telecom"},
	}
	return map[string]map[string][]string{
		"operator": operators,
		"status": {
			"existing": {"hiện hữu", "hiện trạng", "đã có", "đang hoạt động", "hoạt động", "đang sử dụng", "đã xây dựng"},
			"planned":  {"dự kiến", "kế hoạch", "quy hoạch mới", "xây mới", "phát triển mới"},
			"approved": {"đã duyệt", "đã phê duyệt", "được chấp thuận", "chấp thuận"},
			"draft":    {"nháp", "bản nháp"},
		},
		"structure": {
			"self_supporting": {"tự đứng", "tự đứng 4 chân", "tự đứng 3 chân", "self supporting", "selfsupporting"},
			"guyed":           {"dây co", "dây néo", "cột dây néo"},
			"rooftop":         {"trên mái nhà", "mái nhà", "trên nóc nhà"},
			"wall":            {"gắn tường", "treo tường"},
		},
		"kind": {
			"post_office":           {"bưu cục cấp 1", "bưu cục cấp 2", "bưu cục cấp 3", "bc"},
			"commune_culture_point": {"bđ vhx", "bưu điện văn hóa xã", "điểm bưu điện văn hóa xã"},
			"letterbox":             {"thùng thư", "hòm thư"},
			"host":                  {"host", "tổng đài host"},
			"satellite":             {"tổng đài vệ tinh"},
			"telecom":               {"viễn thông"},
			"electric":              {"cột điện lực", "điện lực"},
			"lighting":              {"chiếu sáng"},
		},
		"works": {"none": {"không có"}},
	}
}

// yes and no are what people write for them, folded; marks are yes where a column has
// nothing else but blanks.
func yes() []string {
	return []string{"co", "dung", "yes", "y", "true", "t", "1", "roi", "da co", "x"}
}

func no() []string {
	return []string{"khong", "ko", "k", "sai", "no", "n", "false", "f", "0", "chua", "chua co", "khong co"}
}

// isMark reports whether a text is a cross or a tick.
func isMark(s string) bool {
	switch s {
	case "x", "X", "×", "✓", "✔", "☑", "√", "v", "V":
		return true
	}
	return false
}

// isBlank reports whether a text of what is no text stands for nothing.
func isBlank(s string) bool {
	switch s {
	case "", "-", "--", "–", "—", "...", "…", "n/a", "N/A", "null", "NULL", `\N`:
		return true
	}
	return false
}
