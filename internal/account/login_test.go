package account

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"hatang/internal/layer"
)

// texts returns what is wrong in English, and makes sure that it is said in Vietnamese too.
func texts(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var invalid *layer.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Faults) == 0 {
		t.Fatalf("%v (%T) is no list of faults", err, err)
	}
	for _, f := range invalid.Faults {
		if f.Detail.VI == "" || f.Detail.VI == f.Detail.EN || !norm.NFC.IsNormalString(f.Detail.VI) || strings.Contains(f.Detail.VI+f.Detail.EN, "%!") {
			t.Errorf("%+v", f)
		}
	}
	return err.Error()
}

func TestLogins(t *testing.T) {
	for _, tt := range []struct{ login, want, fault string }{
		{"lan", "lan", ""}, {"  Lan.Nguyen@vnpt.vn\n", "lan.nguyen@vnpt.vn", ""}, {"LÊ+TUẤN_9-x", "lê+tuấn_9-x", ""},
		{norm.NFD.String("tuấn"), "tuấn", ""}, {"\u212b9", "å9", ""}, {"\u212a9", "k9", ""}, {strings.Repeat("ấ", 64), strings.Repeat("ấ", 64), ""},
		{"", "", "/login: must have 2 to 64 characters"}, {" a ", "", "2 to 64"}, {strings.Repeat("a", 65), "", "2 to 64"}, {strings.Repeat("a", 1<<20), "", "2 to 64"},
		{"lan nguyen", "", `not ' '`}, {"lan\x00", "", `not '\x00'`}, {"lan\xff", "", "text"}, {"lan<b>", "", `not '<'`}, {"lan\u200d", "", "not"},
		{"a/b", "", `not '/'`}, {"!", "", "2 to 64"},
	} {
		got, err := NormaliseLogin(tt.login)
		if fault := texts(t, err); got != tt.want || !strings.Contains(fault, tt.fault) || (fault == "") != (tt.fault == "") {
			t.Errorf("%.80q is %q, %q; want %q, %q", tt.login, got, fault, tt.want, tt.fault)
		}
	}
}

// One account has one login: however it is typed, and normalised once or twice.
func TestLoginsAreNormalisedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		login := rapid.OneOf(rapid.String(), rapid.StringMatching(`[\pL\d._@+-]{2,30}`)).Draw(t, "login")
		once, err := NormaliseLogin(login)
		if err != nil {
			return
		}
		for _, typed := range []string{once, norm.NFD.String(once), " " + login + "\t", norm.NFD.String(login)} {
			if twice, err := NormaliseLogin(typed); err != nil || twice != once {
				t.Fatalf("%q is %q, %q is %q, %v", login, once, typed, twice, err)
			}
		}
	})
}

func TestPasswordsThatNobodyShouldHave(t *testing.T) {
	for _, tt := range []struct{ password, login, fault string }{
		{"correct horse battery", "lan", ""}, {"mật khẩu dài", "tuan", ""}, {strings.Repeat("ngựa ", 25) + "abc", "lan", ""}, {"        a   ", "lan", ""},
		{"mật khẩu xa", "tuan", "/password: is shorter than 12 characters"}, {norm.NFD.String("mật khẩu xa"), "tuan", "shorter"}, {"", "lan", "shorter"},
		{strings.Repeat("a b", 43), "lan", "longer than 128"}, {strings.Repeat("x", 1<<20), "lan", "longer than 128"},
		{"correct lan battery", "lan", "contains the login"}, {"correct LAN battery", " Lan ", "contains the login"}, {norm.NFD.String("đây là TUẤN nhé"), "tuấn", "contains the login"},
		{"correct horse battery", "", ""},
		{"Password1234", "lan", "first that anyone guesses"}, {"MẬTKHẨU12345", "lan", "first that anyone"}, {"administrator", "admin", "contains the login; /password: is among"},
		{"correct\x00horse battery", "lan", "control"}, {"correct\xffhorse battery", "lan", "text"},
	} {
		if fault := texts(t, CheckPassword(tt.password, tt.login)); !strings.Contains(fault, tt.fault) || (fault == "") != (tt.fault == "") {
			t.Errorf("%.80q of %q: %q, want %q", tt.password, tt.login, fault, tt.fault)
		}
	}
}

// An entry that is too short, or not as it is compared, would never refuse anything.
func TestWorstPasswordsAreReached(t *testing.T) {
	if len(worst) < 60 {
		t.Errorf("%d passwords", len(worst))
	}
	for w := range worst {
		if n := utf8.RuneCountInString(w); n < minPassword || n > maxPassword || fold(w) != w {
			t.Errorf("%q is never met", w)
		}
	}
}
