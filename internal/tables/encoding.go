package tables

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/unicode/norm"

	"hatang/internal/layer"
)

// codec turns the bytes of a text into characters. In all of them ASCII is itself.
type codec struct {
	name string
	// raw decodes without composing; nil for UTF-8.
	raw func(string) string
	// inside: the bytes are UTF-8, whose characters stand for the bytes of raw, as where a
	// text for an old font was pasted into a new program.
	inside bool
}

// upperTCVN3 are the characters of the bytes from 0x80 on in TCVN 5712:1993 VN1, whose
// part from 0xA1 on is that of the fonts called ABC or .VnTime (VN3), less some capitals.
const upperTCVN3 = "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ" +
	"\u00a0ĂÂÊÔƠƯĐăâêôơưđẰ\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ"

// vni are the bytes of VNI's fonts for Windows: a letter is followed by a byte for its marks,
// or stands for itself. Capitals have capital bytes.
const vni = "ø\u0300 ù\u0301 û\u0309 õ\u0303 ï\u0323 ê\u0306 è\u0306\u0300 é\u0306\u0301 ú\u0306\u0309 ü\u0306\u0303 ë\u0306\u0323 " +
	"â\u0302 à\u0302\u0300 á\u0302\u0301 å\u0302\u0309 ã\u0302\u0303 ä\u0302\u0323 ôơ öư ñđ ìì íí æỉ óĩ òị îỵ"

func tcvn3Table() (table [128]string) {
	for i, r := range []rune(upperTCVN3) {
		table[i] = string(r)
	}
	return table
}

func vniTable() (table [128]string) {
	for i := range table {
		table[i] = string(charmap.Windows1252.DecodeByte(byte(i + 128)))
	}
	for _, pair := range strings.Fields(vni) {
		r, size := utf8.DecodeRuneInString(pair)
		table[r-128] = pair[size:]
		table[r-128-0x20] = strings.ToUpper(pair[size:]) // Latin-1's capitals stand 32 before
	}
	return table
}

// byTable decodes by a table of the bytes from 0x80 on.
func byTable(table [128]string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			if s[i] < utf8.RuneSelf {
				b.WriteByte(s[i])
			} else {
				b.WriteString(table[s[i]-utf8.RuneSelf])
			}
		}
		return b.String()
	}
}

// byLibrary decodes by an encoding that the library has.
func byLibrary(e encoding.Encoding) func(string) string {
	return func(s string) string {
		out, err := e.NewDecoder().String(s)
		if err != nil {
			return strings.ToValidUTF8(s, "\ufffd")
		}
		return out
	}
}

// utf8Codec is the codec of UTF-8.
func utf8Codec() codec { return codec{name: "utf-8"} }

// oldCodecs are the encodings that Vietnamese texts were written in before UTF-8, and what
// becomes of UTF-8 when a program takes it for one of them and writes it as UTF-8 again.
func oldCodecs() []codec {
	return []codec{
		{name: "windows-1258", raw: byLibrary(charmap.Windows1258)},
		{name: "tcvn3", raw: byTable(tcvn3Table())},
		{name: "vni", raw: byTable(vniTable())},
		{name: "utf-8-twice", raw: func(s string) string { return s }},
	}
}

// codecOf finds the encoding that a person or a file names.
func codecOf(name string) (codec, error) {
	plain := strings.ToLower(strings.TrimSpace(name))
	switch plain {
	case "utf-8", "utf8", "65001":
		return utf8Codec(), nil
	case "abc", "tcvn", "tcvn-5712", "tcvn5712", "vntime":
		plain = "tcvn3"
	case "vni-windows", "vni-times":
		plain = "vni"
	}
	for _, c := range oldCodecs() {
		if c.name == plain {
			return c, nil
		}
	}
	for _, form := range []string{plain, "windows-" + strings.TrimLeft(plain, "ansicp- ")} {
		if form == "windows-1258" {
			return oldCodecs()[0], nil
		}
		if e, err := htmlindex.Get(form); err == nil && !strings.HasPrefix(form, "utf-16") && form != "replacement" && form != "iso-2022-jp" {
			return codec{name: form, raw: byLibrary(e)}, nil
		}
	}
	return codec{}, layer.Wrong("không biết bảng mã %q: hãy chọn utf-8, windows-1258, tcvn3, vni hoặc utf-8-twice", "the encoding %q is not known: choose utf-8, windows-1258, tcvn3, vni or utf-8-twice", cut(name, 40))
}

// text decodes a text; false where some of it is no text in the encoding, which then stands
// there as U+FFFD.
func (c codec) text(s string) (string, bool) {
	if !ascii(s) {
		switch {
		case c.inside:
			if old, ok := latin(s); ok {
				s = c.raw(old)
			}
		case c.raw != nil:
			s = c.raw(s)
		}
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\ufffd")
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	return norm.NFC.String(s), !strings.ContainsRune(s, utf8.RuneError)
}

// latin turns characters back into the bytes that Windows-1252 has for them; false where it
// has none.
func latin(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r < 0x100 {
			b = append(b, byte(r))
			continue
		}
		one, ok := charmap.Windows1252.EncodeRune(r)
		if !ok {
			return "", false
		}
		b = append(b, one)
	}
	return string(b), true
}

// cut shortens a text to so many bytes, for messages.
func cut(s string, most int) string {
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}
