package layer

// worksClassField is the class of passive works in the letters of Circular 14/2013.
func worksClassField(values ...Value) Field {
	return text("works_class", t("Loại công trình", "Works class"), t("Loại công trình hạ tầng kỹ thuật theo Thông tư 14/2013/TT-BTTTT.", "Class of passive works in Circular 14/2013/TT-BTTTT.")).oneOf(values...)
}

// carrierField is what holds a cable, in the plan's order of preference.
func carrierField() Field {
	return text("carrier", t("Vật mang cáp", "Carrier"), t("Cáp đi trong cống, chôn trực tiếp hay treo trên cột nào.", "What holds the cable: a duct, the ground, or which poles.")).oneOf(
		v("duct", "cống bể", "duct", "#54278f"), v("direct", "chôn trực tiếp", "directly buried", "#3182bd"), v("telecom_pole", "cột viễn thông", "telecom poles", "#6a51a3"),
		v("electric_pole", "cột điện", "electric poles", "#feb24c"), v("lighting_pole", "cột chiếu sáng", "lighting poles", "#fed976"))
}

// newProjectField says whether a line is part of a new project, all of which goes underground.
func newProjectField() Field {
	return boolean("new_project", t("Dự án mới", "New project"), t("Đúng với đường mới, khu đô thị mới.", "True for new roads and new urban areas."))
}

func roadClassField() Field {
	return text("road_class", t("Cấp đường", "Road class"), t("Cấp của đường bộ.", "Class of the road.")).oneOf(
		v("national", "quốc lộ", "national", "#a50f15"), v("provincial", "tỉnh lộ", "provincial", "#de2d26"), v("district", "huyện lộ", "district", "#fb6a4a"),
		v("urban", "đường đô thị", "urban street", "#fcae91"), v("commune", "đường xã", "commune road", "#bdbdbd"), v("village", "đường thôn, xóm", "village road", "#d9d9d9"))
}

func undergroundWorks() []Value {
	return []Value{v("N1", "N1 – ngầm riêng", "N1 – own underground works", "#1f77b4"), v("N2", "N2 – ngầm dùng chung", "N2 – shared underground works", "#08519c")}
}

func networkLayers() []Layer {
	overhead := []Value{v("C1", "C1 – cột riêng", "C1 – own poles", "#9ecae1"), v("C2", "C2 – cột dùng chung", "C2 – shared poles", "#6baed6"), v("direct", "chôn trực tiếp", "directly buried", "#3182bd")}
	fibres := integer("fibres", t("Số sợi quang", "Fibres"), t("Số sợi quang trong cáp.", "Fibres in the cable."))
	length := metres("declared_length_m", t("Chiều dài khai báo (m)", "Declared length (m)"), t("Chiều dài ghi trong hồ sơ, mét; chiều dài hình học tính riêng.", "Length in the records, metres; the drawn length is computed."))
	return []Layer{
		{
			Name: "exchanges", Group: GroupNetwork, Geometry: Point, Colour: "#1f77b4", ColourBy: "kind",
			Title: t("Tổng đài", "Exchanges"), Doc: t("Tổng đài trung tâm và vệ tinh.", "Host and satellite exchanges."),
			Fields: fields(stageFields(), []Field{
				text("kind", t("Loại", "Kind"), t("Trung tâm hay vệ tinh.", "Host or satellite.")).required().oneOf(
					v("host", "trung tâm (host)", "host", "#08306b"), v("satellite", "vệ tinh", "satellite", "#4292c6")),
				integer("installed_lines", t("Dung lượng lắp đặt", "Installed lines"), t("Số thuê bao lắp đặt (lines).", "Lines installed.")),
				integer("used_lines", t("Dung lượng sử dụng", "Used lines"), t("Số thuê bao sử dụng (lines).", "Lines in use.")),
				operatorField(), communeField(),
			}),
		},
		{
			Name: "fibre_routes", Group: GroupNetwork, Geometry: MultiLineString, HasZ: true, Colour: "#0570b0", ColourBy: "kind",
			Title: t("Tuyến cáp quang", "Fibre routes"), Doc: t("Tuyến truyền dẫn cáp quang; cao độ là mét so với mặt đất, âm là ngầm.", "Fibre transmission routes; heights are metres from the ground, negative below."),
			Fields: fields(stageFields(), []Field{
				text("kind", t("Loại tuyến", "Kind"), t("Liên tỉnh, nội tỉnh hay biên giới.", "Interprovincial, within the province, or border.")).required().oneOf(
					v("interprovincial", "liên tỉnh", "interprovincial", "#023858"), v("intraprovincial", "nội tỉnh", "intraprovincial", "#0570b0"), v("border", "dọc biên giới", "border", "#ae017e")),
				fibres, worksClassField(append(undergroundWorks(), overhead...)...), carrierField(), newProjectField(), length, operatorField(),
			}),
		},
		{
			Name: "cable_segments", Group: GroupNetwork, Geometry: MultiLineString, HasZ: true, Colour: "#74a9cf", ColourBy: "medium",
			Title: t("Đoạn cáp ngoại vi", "Cable segments"), Doc: t("Đoạn cáp viễn thông và truyền hình, treo hoặc ngầm.", "Telecom and television cable, overhead or underground."),
			Fields: fields(stageFields(), []Field{
				boolean("underground", t("Ngầm", "Underground"), t("Đúng khi cáp đi ngầm.", "True where the cable runs underground.")).required(),
				carrierField(), roadClassField(),
				text("medium", t("Loại cáp", "Medium"), t("Vật liệu truyền dẫn.", "What the cable is made of.")).oneOf(v("copper", "cáp đồng", "copper", "#b87333"), v("fibre", "cáp quang", "fibre", "#0570b0"), v("coaxial", "cáp đồng trục", "coaxial", "#636363")),
				text("service", t("Dịch vụ", "Service"), t("Viễn thông hay truyền hình.", "Telecom or television.")).oneOf(v("telecom", "viễn thông", "telecom", ""), v("television", "truyền hình", "television", "")),
				newProjectField(),
				fibres, integer("pairs", t("Số đôi cáp", "Pairs"), t("Số đôi dây đồng.", "Copper pairs.")), length, operatorField(),
			}),
		},
		{
			Name: "ducts", Group: GroupNetwork, Geometry: MultiLineString, HasZ: true, Colour: "#54278f", ColourBy: "works_class",
			Title: t("Cống bể cáp", "Ducts"), Doc: t("Công trình ngầm N1 (riêng) và N2 (dùng chung).", "Underground works: N1 own, N2 shared."),
			Fields: fields(stageFields(), []Field{
				worksClassField(undergroundWorks()...).required(), integer("ways", t("Số ống", "Ways"), t("Số ống trong tuyến.", "Pipes in the duct.")), length, operatorField(),
			}),
		},
		{
			Name: "pole_lines", Group: GroupNetwork, Geometry: MultiLineString, HasZ: true, Colour: "#807dba", ColourBy: "kind",
			Title: t("Tuyến cột treo cáp", "Pole lines"), Doc: t("Tuyến cột viễn thông, điện lực và chiếu sáng có treo cáp.", "Telecom, electric and lighting poles that carry cable."),
			Fields: fields(stageFields(), []Field{
				text("kind", t("Loại cột", "Kind"), t("Cột viễn thông, cột điện hay cột chiếu sáng.", "Telecom, electric or lighting poles.")).required().oneOf(
					v("telecom", "cột viễn thông", "telecom", "#6a51a3"), v("electric", "cột điện", "electric", "#feb24c"), v("lighting", "cột chiếu sáng", "lighting", "#fed976")),
				text("material", t("Vật liệu", "Material"), t("Vật liệu cột.", "What the poles are made of.")),
				metres("pole_height_m", t("Chiều cao cột (m)", "Pole height (m)"), t("Chiều cao cột, mét.", "Height of the poles, metres.")).max(100),
				integer("poles", t("Số cột", "Poles"), t("Số cột trong tuyến.", "Poles in the line.")), newProjectField(), operatorField(),
			}),
		},
		{
			Name: "wifi_points", Group: GroupNetwork, Geometry: Point, Colour: "#17becf", ColourBy: "priority_kind",
			Title: t("Điểm truy nhập Wi-Fi", "Wi-Fi points"), Doc: t("Điểm truy nhập Internet không dây công cộng.", "Public wireless Internet access points."),
			Fields: fields(stageFields(), []Field{
				text("priority_kind", t("Khu vực ưu tiên", "Priority kind"), t("Loại khu vực ưu tiên đặt điểm.", "Kind of area with priority.")).oneOf(
					v("centre", "trung tâm, khu đô thị mới", "centre, new urban area", "#006d2c"), v("tourism", "khu du lịch, di tích", "tourism, heritage", "#31a354"),
					v("public_place", "công viên, khách sạn, bệnh viện", "park, hotel, hospital", "#74c476"), v("education_administration", "trường học, khu hành chính", "school, administration", "#bae4b3")),
				text("district_code", t("Mã huyện", "District code"), t("Mã đơn vị cấp huyện mà quy hoạch phân bổ.", "Code of the district the plan allots it to.")), operatorField(),
			}),
		},
		{
			Name: "public_service_points", Group: GroupNetwork, Geometry: Point, Colour: "#bcbd22", ColourBy: "kind",
			Title: t("Điểm viễn thông công cộng", "Public service points"), Doc: t("Điểm cung cấp dịch vụ viễn thông công cộng Đ1, Đ2.", "Public telecom service points, types Đ1 and Đ2."),
			Fields: fields(stageFields(), []Field{
				text("kind", t("Loại", "Kind"), t("Đ1 hoặc Đ2 theo Thông tư 14/2013/TT-BTTTT.", "D1 or D2 in Circular 14/2013/TT-BTTTT.")).required().oneOf(v("D1", "Đ1", "Đ1", "#bcbd22"), v("D2", "Đ2", "Đ2", "#dbdb8d")),
				list("services", t("Dịch vụ", "Services"), t("Dịch vụ cung cấp.", "Services offered.")), operatorField(), communeField(),
			}),
		},
	}
}

func zoneLayers() []Layer {
	phase := text("phase", t("Giai đoạn", "Phase"), t("Mã giai đoạn của lộ trình.", "Code of the roadmap's phase."))
	return []Layer{
		{
			Name: "mast_zones", Group: GroupZones, Geometry: MultiPolygon, Colour: "#fdae61", ColourBy: "zone_class",
			Title: t("Vùng quy hoạch cột ăng ten", "Mast zones"), Doc: t("Vùng mà bộ quy tắc cho phép những loại cột nhất định.", "Areas in which the rule set allows certain mast types."),
			Fields: []Field{
				text("zone_class", t("Loại vùng", "Zone class"), t("Mã loại vùng trong bộ quy tắc.", "Code of the zone class in the rule set.")).required().also("loai_vung"),
				phase,
				text("follows_commune", t("Theo địa giới xã", "Follows commune"), t("Mã xã mà hình vùng luôn theo; trống khi vẽ riêng.", "Code of the commune whose shape the zone always takes; empty where drawn.")),
			},
		},
		{
			Name: "underground_zones", Group: GroupZones, Geometry: MultiPolygon, Colour: "#7b3294", ColourBy: "kind",
			Title: t("Khu vực ngầm hóa", "Undergrounding zones"), Doc: t("Khu vực ưu tiên ngầm hóa mạng cáp.", "Areas with priority for cable undergrounding."),
			Fields: []Field{
				text("kind", t("Loại khu vực", "Kind"), t("Loại khu vực ưu tiên theo quy hoạch.", "Kind of priority area in the plan.")).required().oneOf(
					v("administrative_streets", "đường chính khu hành chính", "main streets of the administrative centre", "#40004b"), v("public_space", "quảng trường, công viên, nhà thi đấu", "squares, parks, stadiums", "#762a83"),
					v("tourism", "khu du lịch, mỹ quan cao", "tourism, high aesthetics", "#9970ab"), v("new_urban", "khu đô thị, dân cư mới", "new urban and residential areas", "#c2a5cf"),
					v("upgraded_streets", "tuyến phố nâng cấp", "streets being upgraded", "#e7d4e8"), v("industrial", "khu, cụm công nghiệp", "industrial parks and clusters", "#5aae61"), v("road_works", "đường làm mới, mở rộng", "roads built or widened", "#a6dba0")),
				phase,
			},
		},
		{
			Name: "special_areas", Group: GroupZones, Geometry: MultiPolygon, Colour: "#ca0020", ColourBy: "kind",
			WithheldField: "kind", WithheldValues: []string{"border_belt", "military"},
			Title: t("Khu vực đặc biệt", "Special areas"), Doc: t("Vành đai biên giới, quân sự, bề mặt hàng không, khu vực hỗ trợ, khu đông dân cư.", "Border belt, military, aviation surfaces, support areas, densely populated areas."),
			Fields: []Field{
				text("kind", t("Loại", "Kind"), t("Loại khu vực.", "Kind of area.")).required().oneOf(
					v("border_belt", "vành đai biên giới", "border belt", "#ca0020"), v("military", "quân sự", "military", "#67001f"),
					v("aviation_surface", "bề mặt hạn chế chướng ngại vật hàng không", "aviation obstacle surface", "#f4a582"), v("support_area", "khu vực hỗ trợ", "support area", "#92c5de"),
					v("densely_populated", "khu đông dân cư", "densely populated area", "#b8860b")),
				metres("max_height_m", t("Chiều cao tối đa (m)", "Maximum height (m)"), t("Chiều cao công trình tối đa trên mặt đất, mét.", "Highest structure above ground, metres.")).max(10000),
				text("agency", t("Cơ quan quản lý", "Agency"), t("Mã cơ quan phải lấy ý kiến.", "Code of the agency to consult.")),
			},
		},
	}
}
