package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/layer"
)

// The lengths of logins and passwords in characters.
const (
	minLogin, maxLogin       = 2, 64
	minPassword, maxPassword = 12, 128
)

// NormaliseLogin returns a login as it is stored and compared: NFC, without spaces around
// it, in lower case. It returns a *layer.InvalidError unless that is of 2 to 64 letters,
// digits and . _ - @ +.
func NormaliseLogin(login string) (string, error) {
	var faults layer.Faults
	if len(login) > maxPasswordBytes || !utf8.ValidString(login) {
		faults.Add("/login", "phải là văn bản từ %d đến %d ký tự", "must be text of %d to %d characters", minLogin, maxLogin)
		return "", faults.Err()
	}
	clean := fold(strings.TrimSpace(login))
	if n := utf8.RuneCountInString(clean); n < minLogin || n > maxLogin {
		faults.Add("/login", "phải có từ %d đến %d ký tự", "must have %d to %d characters", minLogin, maxLogin)
	}
	if i := strings.IndexFunc(clean, foreignToLogins); i >= 0 {
		r, _ := utf8.DecodeRuneInString(clean[i:])
		faults.Add("/login", "chỉ được có chữ cái, chữ số và . _ - @ +, không được có %q", "may hold letters, digits and . _ - @ + only, not %q", r)
	}
	if err := faults.Err(); err != nil {
		return "", err
	}
	return clean, nil
}

func foreignToLogins(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-@+", r)
}

// fold brings text to NFC and lower case; lower case of some letters is composed anew.
func fold(s string) string { return norm.NFC.String(strings.ToLower(norm.NFC.String(s))) }

// CheckPassword returns a *layer.InvalidError with every reason why a person of that login
// should not have the password: it is not 12 to 128 characters of text in NFC, contains the
// login, or is among the first that anyone guesses.
func CheckPassword(password, login string) error {
	var faults layer.Faults
	if len(password) > maxPasswordBytes {
		faults.Add("/password", "dài hơn %d ký tự", "is longer than %d characters", maxPassword)
		return faults.Err()
	}
	if !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl) {
		faults.Add("/password", "phải là văn bản, không có ký tự điều khiển", "must be text without control characters")
	}
	switch n := utf8.RuneCountInString(norm.NFC.String(password)); {
	case n < minPassword:
		faults.Add("/password", "ngắn hơn %d ký tự", "is shorter than %d characters", minPassword)
	case n > maxPassword:
		faults.Add("/password", "dài hơn %d ký tự", "is longer than %d characters", maxPassword)
	}
	folded := fold(password)
	if login = fold(strings.TrimSpace(login)); login != "" && strings.Contains(folded, login) {
		faults.Add("/password", "chứa tên đăng nhập", "contains the login")
	}
	if worst[folded] {
		faults.Add("/password", "quá dễ đoán", "is among the first that anyone guesses")
	}
	return faults.Err()
}

// worst holds passwords that are long enough and still among the first guesses, in lower
// case.
var worst = func() map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(`
		000000000000 111111111111 121212121212 123123123123 123321123321 1234567890123 12345678900987654321 123456789012 123456789abc
		012345678910 0123456789012 098765432109 0987654321098 112233445566 123412341234 1234567890qwerty 12345678901234567890 123456123456
		987654321000 999999999999 888888888888 666666666666
		1q2w3e4r5t6y 1qaz2wsx3edc 1qaz2wsx3edc4rfv q1w2e3r4t5y6 qwertyuiop12 qwertyuiop123 qwerty123456 qwerty1234567 qwertyuiopasdfgh
		qwertyuiop[] qazwsxedcrfv asdfghjkl123 zxcvbnm12345 abcdefghijkl abcdef123456 abcd12345678 abc123456789 aaaaaaaaaaaa a1b2c3d4e5f6
		password1234 password12345 password123456 passwordpassword password@123 password2024 password2025 password2026 p@ssw0rd1234
		passw0rd1234 iloveyou1234 iloveyou123456 changeme1234 changemenow1 letmein12345 welcome12345 welcome@1234 administrator
		administrator1 admin1234567 admin@123456 admin12345678 adminadminadmin superman1234 football1234 trustno12345 correcthorsebatterystaple
		matkhau12345 matkhau123456 matkhau@123456 matkhaumatkhau mậtkhẩu12345 anhyeuem1234 anhyeuem123456 yeuemnhieulam vietnam12345
		vietnam123456 vietnamvodich hanoi1234567 saigon123456 dienbienphu1954 dienbien1954 dienbien2025 dienbien2026 hatang123456 hatanghatang
		hatang@12345`) {
		set[w] = true
	}
	return set
}()
