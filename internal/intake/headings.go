package intake

import "slices"

// Where a column can go beside the fields of the layer. Fields' names begin with a letter,
// so none of them is one of these.
const (
	ToLon            = "@lon"              // longitude
	ToLat            = "@lat"              // latitude
	ToEasting        = "@easting"          // metres to the east
	ToNorthing       = "@northing"         // metres to the north
	ToX              = "@x"                // east, or north as surveyors have it: the numbers tell
	ToY              = "@y"                // the other one
	ToPosition       = "@position"         // "latitude, longitude" in one cell
	ToPositionLonLat = "@position_lon_lat" // "longitude, latitude" in one cell
	ToWKT            = "@wkt"              // well-known text
	ToCommune        = "@commune"          // name of a commune, for its code
	ToDistrict       = "@district"         // name of a district, for its code or to tell communes apart
	ToNothing        = "@nothing"          // left out
)

// targets are all of these.
func targets() []string {
	return []string{ToLon, ToLat, ToEasting, ToNorthing, ToX, ToY, ToPosition, ToPositionLonLat, ToWKT, ToCommune, ToDistrict, ToNothing}
}

// heading is what people call a column.
type heading struct {
	to     string   // a field or one of the targets above
	layers []string // of these alone; none means every layer that has the field
	first  bool     // goes before the field's own name where a file has both, as full_name does
	names  []string // compared without marks, case, blanks and units in brackets
}

var (
	provinces = []string{"provinces"}
	districts = []string{"districts"}
	communes  = []string{"communes"}
)

// headings are columns as offices and operators call them, beside the names, titles and
// aliases of the fields. Of two lines with the same words the first that suits the layer counts.
func headings() []heading {
	return []heading{
		{to: "code", layers: communes, names: []string{"mã xã", "mã phường xã", "mã đvhc", "mã gso", "mã đơn vị", "xã id", "commune code", "commune_id", "mã đơn vị hành chính"}},
		{to: "code", layers: districts, names: []string{"mã huyện", "mã quận huyện", "mã đvhc", "mã gso", "district code", "district_id", "mã đơn vị hành chính"}},
		{to: "code", layers: provinces, names: []string{"mã tỉnh", "mã đvhc", "mã gso", "province code", "mã đơn vị hành chính"}},
		{to: "name", first: true, names: []string{"tên đầy đủ", "fullname", "full name"}},
		{to: "name", layers: communes, names: []string{"tên xã", "xã", "xã phường", "phường xã", "xã phường thị trấn", "phường xã thị trấn", "commune", "commune name", "tên đvhc"}},
		{to: "name", layers: districts, names: []string{"tên huyện", "huyện", "quận huyện", "huyện thị xã thành phố", "district", "district name", "tên đvhc"}},
		{to: "name", layers: provinces, names: []string{"tên tỉnh", "tỉnh", "tỉnh thành phố", "province", "province name", "tên đvhc"}},
		{to: "site_code", names: []string{"mã vị trí", "mã cột", "mã trạm gốc", "mã vị trí cột ăng ten"}},
		{to: "code", names: []string{"mã trạm", "mã bts", "mã nhà trạm", "mã vị trí", "mã điểm", "mã tuyến", "mã công trình", "mã đối tượng", "mã hiệu", "số hiệu", "site id", "station id", "id trạm", "mã bưu cục", "mã cột"}},
		{to: "name", names: []string{"tên trạm", "tên bts", "tên nhà trạm", "tên vị trí", "tên điểm", "tên tuyến", "tên công trình", "tên đối tượng", "site name", "station name", "tên bưu cục"}},
		{to: "mast_type", names: []string{"loại cột ăng ten", "loại anten", "loại cột anten", "kiểu cột", "loại trạm", "tower type", "phân loại cột"}},
		{to: "structure", names: []string{"kết cấu cột", "kiểu kết cấu", "dạng cột"}},
		{to: "concealed", names: []string{"ngụy trang", "thân thiện môi trường", "camouflaged"}},
		{to: "height_m", names: []string{"chiều cao", "chiều cao cột", "độ cao cột", "cao cột", "chiều cao anten", "chiều cao cột ăng ten", "height", "tower height", "h cột"}},
		{to: "host_building_height_m", names: []string{"chiều cao nhà", "chiều cao công trình", "cao nhà", "building height"}},
		{to: "service_radius_m", names: []string{"bán kính", "bán kính phủ sóng", "bán kính phục vụ", "radius", "coverage radius"}},
		{to: "pole_height_m", names: []string{"chiều cao", "chiều cao cột", "height"}},
		{to: "declared_length_m", names: []string{"chiều dài", "độ dài", "cự ly", "length", "chiều dài tuyến"}},
		{to: "technologies", names: []string{"công nghệ", "technology", "loại công nghệ", "băng tần công nghệ"}},
		{to: "operator", names: []string{"nhà mạng", "doanh nghiệp viễn thông", "mạng", "nhà cung cấp", "operator", "chủ sở hữu", "đơn vị khai thác", "network", "tên doanh nghiệp"}},
		{to: "owner_organisation", names: []string{"chủ sở hữu", "đơn vị quản lý", "owner", "owner organization", "đơn vị chủ quản"}},
		{to: "status", names: []string{"trạng thái", "tình trạng hoạt động", "hiện trạng", "state"}},
		{to: "population", names: []string{"dân số", "số dân", "pop", "nhân khẩu", "số nhân khẩu", "population"}},
		{to: "population_year", names: []string{"năm dân số", "năm thống kê", "pop year"}},
		{to: "households", names: []string{"số hộ", "hộ", "số hộ dân"}},
		// An area that somebody measured of a polygon (area, area_km2) is none that a document states.
		{to: "official_area_m2", names: []string{"dt", "diện tích", "diện tích tự nhiên", "diện tích chính thức", "dttn", "area official", "official area"}},
		{to: "kind", layers: slices.Concat(communes, districts, provinces), names: []string{"loại", "loại đvhc", "cấp đvhc", "kiểu"}},
		{to: "kind", names: []string{"loại điểm", "loại hình", "loại tuyến", "phân loại"}},
		{to: "valid_from", names: []string{"ngày hiệu lực", "từ ngày", "ngày đưa vào sử dụng", "năm đưa vào sử dụng", "năm xây dựng", "start date", "ngày bắt đầu"}},
		// "Đến ngày" is the last day on which something holds, and so one before valid_to.
		{to: "valid_to", names: []string{"ngày hết hiệu lực"}},
		{to: "legal_basis", names: []string{"căn cứ pháp lý", "quyết định", "số quyết định", "văn bản"}},
		{to: "accuracy_m", names: []string{"độ chính xác", "sai số", "accuracy"}},
		{to: "contact", names: []string{"liên hệ", "người liên hệ", "đầu mối", "điện thoại", "số điện thoại", "sđt", "contact"}},
		{to: "district_code", names: []string{"mã huyện", "mã quận huyện", "district_id"}},
		{to: "province_code", names: []string{"mã tỉnh", "province_id"}},
		{to: "commune_code", names: []string{"mã xã", "mã phường xã", "commune_id", "xã id"}},

		{to: ToLon, names: []string{"lon", "long", "lng", "longitude", "kinh độ", "kđ", "kinh độ đông", "kinh độ wgs84", "lon wgs84", "gps lon", "toạ độ kinh độ", "longitude wgs84", "x wgs84", "x lon", "long x"}},
		{to: ToLat, names: []string{"lat", "latitude", "vĩ độ", "vđ", "vĩ độ bắc", "vĩ độ wgs84", "lat wgs84", "gps lat", "toạ độ vĩ độ", "latitude wgs84", "y wgs84", "y lat", "lat y"}},
		{to: ToEasting, names: []string{"e", "east", "easting", "đông", "toạ độ đông", "vn2000 e", "e vn2000", "y đông", "đông y", "x đông"}},
		{to: ToNorthing, names: []string{"n", "north", "northing", "bắc", "toạ độ bắc", "vn2000 n", "n vn2000", "x bắc", "bắc x", "y bắc"}},
		{to: ToX, names: []string{"x", "toạ độ x", "x vn2000", "vn2000 x", "x coord", "xcoord", "coord x", "point x"}},
		{to: ToY, names: []string{"y", "toạ độ y", "y vn2000", "vn2000 y", "y coord", "ycoord", "coord y", "point y"}},
		{to: ToPosition, names: []string{"toạ độ", "vị trí toạ độ", "coordinates", "coordinate", "gps", "toạ độ gps", "latlon", "latlng", "lat lon", "lat long", "lat lng", "latitude longitude", "vĩ độ kinh độ", "position"}},
		{to: ToPositionLonLat, names: []string{"lonlat", "lnglat", "lon lat", "long lat", "longitude latitude", "kinh độ vĩ độ"}},
		{to: ToWKT, names: []string{"wkt", "geom", "geometry", "the geom", "wkt geom", "hình học", "ewkt"}},
		{to: ToCommune, names: []string{"xã", "tên xã", "xã phường", "phường xã", "xã phường thị trấn", "phường xã thị trấn", "commune", "commune name", "ward", "xã phường tt"}},
		{to: ToDistrict, names: []string{"huyện", "tên huyện", "quận huyện", "huyện thị xã thành phố", "huyện thị thành phố", "huyện tx tp", "district", "district name", "district full name"}},
		{to: ToNothing, names: []string{"stt", "tt", "số tt", "số thứ tự", "no", "id", "fid", "ogc fid", "objectid", "shape leng", "shape length", "shape area", "hàng tệp gốc", "lý do từ chối", "gợi ý sửa", "row in the file", "refused because", "likely meant"}},
	}
}

// of reports whether a heading is of a layer.
func (h *heading) of(layer string) bool {
	return len(h.layers) == 0 || slices.Contains(h.layers, layer)
}
