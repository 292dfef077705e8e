package layer

// Layers returns the registry of every layer Hatang has, in the order in which
// people see them.
func Layers() (*Registry, error) {
	var all []Layer
	for _, group := range [][]Layer{mobileLayers(), postalLayers(), networkLayers(), zoneLayers(), unitLayers(), placeLayers()} {
		all = append(all, group...)
	}
	return New(all...)
}

func mobileLayers() []Layer {
	return []Layer{
		{
			Name: "bts_sites", Group: GroupMobile, Geometry: Point, Colour: "#d62728", ColourBy: "mast_type", PublishedAsSet: true,
			Title: t("Vị trí cột ăng ten", "Mast sites"),
			Doc:   t("Vị trí có hạ tầng thụ động di động và cột ăng ten trên đó.", "Places with passive mobile infrastructure, and the mast on each."),
			Fields: fields(stageFields(), []Field{
				text("mast_type", t("Loại cột", "Mast type"), t("Loại cột ăng ten theo quy hoạch.", "Mast type in the plan's letters.")).required().also("loai_cot").oneOf(
					v("A1a", "A1a – không cồng kềnh, trên công trình", "A1a – non-bulky, on a building", "#2ca02c"),
					v("A1b", "A1b – thân thiện môi trường", "A1b – environment-friendly", "#98df8a"),
					v("A2a", "A2a – cồng kềnh, trên công trình", "A2a – bulky, on a building", "#ff7f0e"),
					v("A2b", "A2b – cồng kềnh, trên mặt đất", "A2b – bulky, on the ground", "#d62728")),
				text("structure", t("Kết cấu", "Structure"), t("Kết cấu của cột.", "How the mast stands.")).also("ket_cau").oneOf(
					v("self_supporting", "cột tự đứng", "self-supporting", ""), v("guyed", "cột dây co", "guyed", ""),
					v("rooftop", "trên mái", "rooftop", ""), v("wall", "trên tường", "wall", ""), v("other", "khác", "other", "")),
				boolean("concealed", t("Ngụy trang", "Concealed"), t("Cột ẩn trong kiến trúc hoặc mô phỏng vật khác.", "Hidden in architecture or imitating something else.")),
				metres("height_m", t("Chiều cao (m)", "Height (m)"), t("Chiều cao cột kể cả ăng ten, không kể kim thu sét, mét.", "Height with antennas, without lightning rod, metres.")).max(1000).also("chieu_cao", "cao_m"),
				metres("half_width_m", t("Nửa bề rộng (m)", "Half width (m)"), t("Từ trục cột đến điểm ngoài cùng kể cả ăng ten, mét.", "Mast axis to outermost point with antennas, metres.")).max(100),
				metres("host_building_height_m", t("Chiều cao công trình (m)", "Host building height (m)"), t("Chiều cao công trình mang cột, mét.", "Height of the building that carries the mast, metres.")).max(1000),
				metres("service_radius_m", t("Bán kính phủ (m)", "Service radius (m)"), t("Bán kính phục vụ của chính vị trí này, mét; dùng để tính diện tích phủ.", "This site's own service radius, metres; covered area is computed from it.")).max(100000),
				list("technologies", t("Công nghệ", "Technologies"), t("Thế hệ công nghệ tại vị trí: 2G, 3G, 4G, 5G.", "Radio generations at the site: 2G, 3G, 4G, 5G.")),
				communeField(), contactField(),
			}),
		},
		{
			Name: "operator_positions", Group: GroupMobile, Geometry: Point, Colour: "#9467bd", ColourBy: "operator", PublishedAsSet: true,
			OnceADay: []string{"site_code", "operator"},
			Title:    t("Vị trí theo doanh nghiệp", "Operator positions"),
			Doc:      t("Mỗi dòng là một doanh nghiệp tại một vị trí cột; chỉ số đếm theo nơi đặt cột.", "One row for one operator at one site; indicators count it where the site stands."),
			Fields: fields(stageFields(), []Field{
				text("site_code", t("Mã vị trí cột", "Site code"), t("Mã của vị trí cột ăng ten; danh sách nhập không nêu thì là mã của chính vị trí này.", "Code of the mast site; in a list that does not say it, the position's own code.")).required().orElse("code"),
				operatorField().required(),
				list("technologies", t("Công nghệ", "Technologies"), t("Thế hệ công nghệ của doanh nghiệp tại vị trí.", "The operator's radio generations at the site.")),
				contactField(),
			}),
		},
	}
}

func unitLayers() []Layer {
	unit := func() []Field {
		return []Field{
			text("kind", t("Loại đơn vị", "Kind"), t("Tên loại đơn vị hành chính, ví dụ xã, phường, huyện.", "Vietnamese word for the kind of unit, such as xã, phường, huyện.")).also("type", "loai"),
			squareMetres("official_area_m2", t("Diện tích chính thức (m²)", "Official area (m²)"), t("Diện tích tự nhiên theo số liệu chính thức, mét vuông.", "Natural area in the official figures, square metres.")),
			integer("population", t("Dân số", "Population"), t("Số dân của năm ghi bên cạnh.", "Inhabitants in the year beside it.")),
			integer("population_year", t("Năm của dân số", "Population year"), t("Năm của số dân.", "Year of the population figure.")).min(1900).max(2200),
			text("figures_source", t("Nguồn số liệu", "Source of the figures"), t("Văn bản nêu diện tích chính thức và số dân.", "Document that states the official area and the population.")),
			list("aliases", t("Tên khác", "Aliases"), t("Cách viết khác của tên, để tìm và đối chiếu.", "Other spellings of the name, for search and matching.")),
			text("legal_basis", t("Căn cứ pháp lý", "Legal basis"), t("Văn bản thành lập hoặc điều chỉnh.", "Instrument that created or changed the unit.")),
		}
	}
	province := text("province_code", t("Mã tỉnh", "Province code"), t("Mã đơn vị cấp tỉnh.", "Code of the province.")).also("ma_tinh")
	district := text("district_code", t("Mã huyện", "District code"), t("Mã đơn vị cấp huyện; trống từ khi bỏ cấp huyện.", "Code of the district; empty since districts ended.")).also("ma_huyen")
	return []Layer{
		{
			Name: "provinces", Group: GroupUnits, Geometry: MultiPolygon, Colour: "#4d4d4d",
			Title: t("Tỉnh", "Provinces"), Doc: t("Đơn vị hành chính cấp tỉnh theo thời gian hiệu lực.", "Province-level units in valid time."), Fields: unit(),
		},
		{
			Name: "districts", Group: GroupUnits, Geometry: MultiPolygon, Colour: "#6b6b6b",
			Title: t("Huyện, thị xã, thành phố", "Districts"), Doc: t("Đơn vị hành chính cấp huyện theo thời gian hiệu lực (đến 30/6/2025).", "District-level units in valid time (until 2025-06-30)."), Fields: fields(unit(), []Field{province}),
		},
		{
			Name: "communes", Group: GroupUnits, Geometry: MultiPolygon, Colour: "#969696",
			Title: t("Xã, phường, thị trấn", "Communes"), Doc: t("Đơn vị hành chính cấp xã theo thời gian hiệu lực.", "Commune-level units in valid time."),
			Fields: fields(unit(), []Field{district, province,
				boolean("urban", t("Đô thị", "Urban"), t("Đúng với phường và thị trấn, hoặc nơi cơ quan quản lý xác định là đô thị.", "True for wards and townships, or where the authority says so."))}),
		},
	}
}

func placeLayers() []Layer {
	return []Layer{
		{
			Name: "settlements", Group: GroupPlaces, Geometry: Point, Colour: "#8c564b",
			Title: t("Điểm dân cư", "Settlements"), Doc: t("Thôn, bản, tổ dân phố với số dân.", "Villages and quarters with their population."),
			Fields: []Field{
				integer("population", t("Dân số", "Population"), t("Số dân.", "Inhabitants.")),
				integer("households", t("Số hộ", "Households"), t("Số hộ gia đình.", "Households.")), communeField(),
			},
		},
		{
			Name: "commune_centres", Group: GroupPlaces, Geometry: Point, Colour: "#555555",
			Title: t("Trung tâm xã", "Commune centres"), Doc: t("Điểm đại diện trung tâm của xã, phường, thị trấn.", "Point standing for the centre of a commune."),
			Fields: []Field{communeField()},
		},
		{
			Name: "roads", Group: GroupPlaces, Geometry: MultiLineString, Colour: "#bdbdbd", ColourBy: "road_class",
			Title: t("Đường bộ", "Roads"), Doc: t("Đường bộ theo cấp, với tình trạng thi công.", "Roads by class, with works under way."),
			Fields: []Field{
				roadClassField().required(),
				boolean("urban", t("Trong đô thị", "Urban"), t("Đúng khi nằm trong khu vực đô thị.", "True inside an urban area.")),
				text("works", t("Thi công", "Works"), t("Tình trạng thi công.", "Works under way or planned.")).oneOf(
					v("none", "không", "none", ""), v("new", "làm mới", "new", ""), v("renovation", "cải tạo", "renovation", ""), v("widening", "mở rộng", "widening", "")),
			},
		},
	}
}
