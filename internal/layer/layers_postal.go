package layer

func postalLayers() []Layer {
	return []Layer{
		{
			Name: "postal_points", Group: GroupPostal, Geometry: Point, Colour: "#e6a400", ColourBy: "kind",
			Title: t("Điểm phục vụ bưu chính", "Postal points"),
			Doc:   t("Bưu cục, điểm bưu điện – văn hóa xã, thùng thư và điểm phục vụ nông thôn.", "Post offices, commune post-culture points, letterboxes and rural points."),
			Fields: fields(stageFields(), []Field{
				text("kind", t("Loại điểm", "Kind"), t("Loại điểm phục vụ.", "Kind of service point.")).required().also("loai").oneOf(
					v("post_office", "bưu cục", "post office", "#c1272d"), v("commune_culture_point", "điểm BĐ-VHX", "commune post-culture point", "#e6a400"),
					v("letterbox", "thùng thư công cộng", "letterbox", "#8c8c8c"), v("rural_point", "điểm phục vụ nông thôn mới", "rural point", "#4c9a2a"),
					v("agent", "đại lý", "agent", "#7f6fb0"), v("automatic_point", "điểm tự động", "automatic point", "#17becf")),
				integer("post_office_level", t("Cấp bưu cục", "Post office level"), t("Cấp I đến III, chỉ với bưu cục.", "Level 1 to 3, of post offices only.")).min(1).max(3),
				list("services", t("Dịch vụ", "Services"), t("Dịch vụ cung cấp tại điểm.", "Services offered at the point.")),
				operatorField(), communeField(),
			}),
		},
		{
			Name: "kiosks", Group: GroupPostal, Geometry: Point, Colour: "#ff7f0e",
			Title:  t("Ki ốt bưu chính", "Postal kiosks"),
			Doc:    t("Điểm ki ốt bưu chính tại cụm công nghiệp, khu du lịch và phường.", "Postal kiosks at industrial clusters, tourist areas and wards."),
			Fields: fields(stageFields(), []Field{operatorField(), communeField()}),
		},
		{
			Name: "mail_routes", Group: GroupPostal, Geometry: MultiLineString, Colour: "#b8860b", ColourBy: "level",
			Title: t("Đường thư", "Mail routes"),
			Doc:   t("Đường thư cấp I, II, III.", "Mail routes of level I, II and III."),
			Fields: fields(stageFields(), []Field{
				integer("level", t("Cấp", "Level"), t("Cấp đường thư, 1 đến 3.", "Level of the route, 1 to 3.")).required().min(1).max(3).oneOf(
					v("1", "cấp I", "level I", "#7a0177"), v("2", "cấp II", "level II", "#c51b8a"), v("3", "cấp III", "level III", "#fa9fb5")),
				operatorField(),
				metres("declared_length_m", t("Chiều dài khai báo (m)", "Declared length (m)"), t("Chiều dài ghi trong hồ sơ, mét; chiều dài hình học tính riêng.", "Length in the records, metres; the drawn length is computed.")),
				text("vehicle", t("Phương tiện", "Vehicle"), t("Phương tiện vận chuyển.", "Means of transport.")),
				integer("trips_per_day", t("Chuyến mỗi ngày", "Trips per day"), t("Số chuyến mỗi ngày.", "Trips per day.")),
			}),
		},
	}
}
