package layer

import "hatang/geo"

// t is a text in Vietnamese and English.
func t(vi, en string) geo.Text { return geo.Text{VI: vi, EN: en} }

// v is one allowed value with its legend colour.
func v(code, vi, en, colour string) Value {
	return Value{Code: code, Title: t(vi, en), Colour: colour}
}

// field makes a field; title and doc are pairs of Vietnamese and English.
func field(kind Kind, name string, title, doc geo.Text) Field {
	return Field{Name: name, Kind: kind, Title: title, Doc: doc}
}

func text(name string, title, doc geo.Text) Field    { return field(Text, name, title, doc) }
func integer(name string, title, doc geo.Text) Field { return field(Integer, name, title, doc).min(0) }
func boolean(name string, title, doc geo.Text) Field { return field(Boolean, name, title, doc) }
func list(name string, title, doc geo.Text) Field    { return field(TextList, name, title, doc) }

// metres makes a length of zero or more metres.
func metres(name string, title, doc geo.Text) Field {
	f := field(Number, name, title, doc)
	f.Unit = "m"
	return f.min(0)
}

// squareMetres makes an area of zero or more square metres.
func squareMetres(name string, title, doc geo.Text) Field {
	f := field(Number, name, title, doc)
	f.Unit = "m2"
	return f.min(0)
}

func (f Field) orElse(name string) Field     { f.Else = name; return f }
func (f Field) required() Field              { f.Required = true; return f }
func (f Field) readOnly() Field              { f.ReadOnly = true; return f }
func (f Field) confidential() Field          { f.Confidential = true; return f }
func (f Field) min(x float64) Field          { f.Min = &x; return f }
func (f Field) max(x float64) Field          { f.Max = &x; return f }
func (f Field) oneOf(values ...Value) Field  { f.Values = values; return f }
func (f Field) also(aliases ...string) Field { f.Aliases = aliases; return f }

// commonFields are the fields of every layer: identity, the two clocks' first,
// ownership and honesty about where a feature comes from.
func commonFields() []Field {
	return []Field{
		text("code", t("Mã", "Code"), t("Mã của đối tượng; mỗi ngày chỉ có một bản ghi hiệu lực cho một mã.", "Code of the feature; on any one date a code has at most one row in force.")).required().also("ma", "ma_so", "id_code"),
		text("name", t("Tên", "Name"), t("Tên gọi, viết theo Unicode NFC.", "Name, in Unicode NFC.")).also("full_name", "ten", "ten_goi"),
		field(Date, "valid_from", t("Hiệu lực từ", "Valid from"), t("Ngày bắt đầu hiệu lực trên thực tế hoặc theo pháp luật.", "First day on which it holds in the world or in law.")).required().also("hieu_luc_tu"),
		field(Date, "valid_to", t("Hiệu lực đến", "Valid to"), t("Ngày hết hiệu lực (không tính ngày này); để trống là còn hiệu lực.", "Day on which it no longer holds (exclusive); empty while in force.")).also("hieu_luc_den"),
		text("owner_organisation", t("Đơn vị sở hữu", "Owning organisation"), t("Mã tổ chức chịu trách nhiệm về bản ghi.", "Code of the organisation that answers for the row.")).also("don_vi", "doanh_nghiep"),
		text("jurisdiction", t("Địa bàn quản lý", "Jurisdiction"), t("Mã đơn vị hành chính cấp tỉnh quản lý bản ghi.", "Code of the province that governs the row.")).required(),
		text("source", t("Nguồn", "Source"), t("Văn bản hoặc tệp mà bản ghi lấy từ đó.", "Document or file the row comes from.")).also("nguon"),
		boolean("illustrative", t("Minh họa", "Illustrative"), t("Đúng khi vị trí hoặc hình dạng chỉ có tính minh họa, không phải số đo.", "True where place or shape is illustrative, not measured.")).required(),
		metres("accuracy_m", t("Độ chính xác (m)", "Accuracy (m)"), t("Sai số vị trí ước tính, mét.", "Estimated positional error, metres.")).also("sai_so_m"),
		integer("revision", t("Phiên bản", "Revision"), t("Số lần bản ghi đã đổi; bắt đầu từ 1.", "How many times the row has changed; starts at 1.")).required().readOnly(),
		field(Timestamp, "updated_at", t("Cập nhật lúc", "Updated at"), t("Thời điểm ghi nhận thay đổi gần nhất, UTC.", "When the row last changed in the register, UTC.")).required().readOnly(),
	}
}

// stageFields are the fields of layers whose features are planned before they exist.
func stageFields() []Field {
	return []Field{
		text("status", t("Tình trạng", "Status"), t("Hiện trạng hay quy hoạch.", "Whether it stands or is planned.")).required().also("tinh_trang").oneOf(
			v("existing", "hiện có", "existing", ""), v("planned", "quy hoạch", "planned", ""),
			v("approved", "đã được chấp thuận", "approved", ""), v(Draft, "dự thảo", "draft", "")),
		text("phase", t("Giai đoạn", "Phase"), t("Mã giai đoạn của quy hoạch; trống với hiện trạng.", "Code of the plan's phase; empty for what exists.")).also("giai_doan"),
	}
}

// communeField names the commune a feature is declared to lie in.
func communeField() Field {
	return text("commune_code", t("Mã xã", "Commune code"), t("Mã đơn vị hành chính cấp xã nơi đặt, theo khai báo.", "Code of the commune it is declared to lie in.")).also("ma_xa")
}

// contactField says whom to call.
func contactField() Field {
	return text("contact", t("Đầu mối liên hệ", "Contact"), t("Người phụ trách và số điện thoại; chỉ chủ sở hữu và cán bộ quản lý xem được.", "Who is in charge, with a telephone number; for the owner and the officers alone.")).confidential().also("lien_he", "dau_moi")
}

// operatorField names a telecom operator.
func operatorField() Field {
	return text("operator", t("Doanh nghiệp", "Operator"), t("Mã doanh nghiệp viễn thông hoặc bưu chính.", "Code of the telecom or postal operator.")).also("nha_mang")
}

// fields joins lists of fields.
func fields(lists ...[]Field) []Field {
	var all []Field
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
