package tables

import (
	"errors"
	"strings"

	"hatang/internal/layer"
)

// Faults are what is wrong with the options whatever the file is, each at the name of its
// option as a JSON pointer; nil for nothing.
func (o Options) Faults() layer.Faults {
	var faults layer.Faults
	if o.HeaderRow < -1 || o.HeaderRow > MaxHeaderRow {
		faults.Add("/header_row", "phải từ 1 đến %d, hoặc -1 nếu không có dòng tên cột", "must be from 1 to %d, or -1 where no row has the columns' names", MaxHeaderRow)
	}
	add := func(at string, err error) {
		var value *layer.ValueError
		if errors.As(err, &value) {
			faults = append(faults, layer.Fault{At: at, Detail: value.Text})
		}
	}
	if o.Encoding != "" {
		_, err := codecOf(o.Encoding)
		add("/encoding", err)
	}
	if o.Separator != "" {
		_, err := separatorOf(o.Separator)
		add("/separator", err)
	}
	return faults
}

// separatorOf is the character that separates cells.
func separatorOf(asked string) (rune, error) {
	runes := []rune(asked)
	if len(runes) != 1 || strings.ContainsRune("\"\r\n\ufffd\x00", runes[0]) {
		return 0, layer.Wrong("dấu phân cách phải là một ký tự, không phải %q", "the separator is one character, not %q", cut(asked, 20))
	}
	return runes[0], nil
}
