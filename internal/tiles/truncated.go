package tiles

// TruncatedLayer is the layer that tells of others of which not everything is shown.
const TruncatedLayer = "hatang_truncated"

// Cut is a layer of a tile that is truncated.
type Cut struct {
	Layer string
	Result
}

// AppendTruncated appends the layer that says what was left out of the others: a point
// in the middle of the tile for each. Nothing where there is none.
func AppendTruncated(dst []byte, cuts []Cut) []byte {
	if len(cuts) == 0 {
		return dst
	}
	body := append([]byte(nil), tagLayerVersion, mvtVersion)
	body = appendText(body, tagLayerName, TruncatedLayer)
	values := dictionary{}
	for i, cut := range cuts {
		one := append([]byte(nil), tagFeatureID, byte(i+1))
		var tags []byte
		for key, value := range [][]byte{
			appendTextValue(nil, []byte(cut.Layer)),
			appendUvarint([]byte{tagValueInteger}, uint64(cut.Shown)),
			appendUvarint([]byte{tagValueInteger}, uint64(cut.Rows)),
		} {
			tags = append(tags, byte(key))
			tags = appendUvarint(tags, uint64(values.index(value)))
		}
		one = appendBytes(one, tagFeatureTags, tags)
		one = append(one, tagFeatureKind, drawPoints)
		s := shaper{}
		s.move(1)
		s.step(cell{Extent / 2, Extent / 2})
		one = appendBytes(one, tagFeatureShape, s.out)
		body = appendBytes(body, tagLayerFeature, one)
	}
	for _, key := range []string{"layer", "shown", "rows"} {
		body = appendText(body, tagLayerKey, key)
	}
	body = values.append(body)
	body = appendUvarint(append(body, tagLayerExtent), Extent)
	return appendBytes(dst, tagTileLayer, body)
}
