package tables

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// onsets are what a Vietnamese syllable may begin with, beside a vowel.
const onsets = "b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x"

// rimes are what may follow, without tones.
const rimes = `a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu
o oc oi om on ong op ot oong ooc oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăp oăt oe oem oen oeo oet
ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt u ua uc ui um un ung up ut uân uâng uât uây uê uêch uênh uêt uêu uôc uôi uôm uôn uông uôp uôt uơ
uy uya uych uyên uyêt uyn uynh uyp uyt uyu ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu
y ych yêm yên yêng yêt yêu yt`

// speller knows Vietnamese syllables by how they are built, so that a text in the wrong
// encoding can be told from one in the right one.
type speller struct{ onsets, rimes map[string]bool }

func newSpeller() *speller {
	set := func(words string) map[string]bool {
		of := map[string]bool{"": true}
		for _, w := range strings.Fields(words) {
			of[w] = true
		}
		return of
	}
	s := &speller{set(onsets), set(rimes)}
	delete(s.rimes, "")
	return s
}

// vietnamese knows them for all who ask.
var vietnamese = newSpeller()

// isTone reports whether a mark is that of a tone: grave, acute, tilde, hook, dot below.
func isTone(r rune) bool {
	return r == '\u0300' || r == '\u0301' || r == '\u0303' || r == '\u0309' || r == '\u0323'
}

// syllable reports whether a word is built as a Vietnamese syllable. Those that end in c,
// ch, p or t have one of two tones, which makes chance hits rare.
func (s *speller) syllable(word string) bool {
	var tone rune
	var bare strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(word)) {
		switch {
		case !isTone(r):
			bare.WriteRune(r)
		case tone != 0:
			return false
		default:
			tone = r
		}
	}
	plain := norm.NFC.String(bare.String())
	for at := 0; at <= 3 && at < len(plain)+1; at++ {
		if onset, rime := plain[:at], plain[at:]; s.onsets[onset] && s.rimes[rime] {
			return !strings.ContainsAny(rime[len(rime)-1:], "cpt") && !strings.HasSuffix(rime, "ch") || tone == '\u0301' || tone == '\u0323'
		}
	}
	return false
}

// tally is how a text reads as Vietnamese: its words that have marks and are syllables, and
// those that have other than ASCII characters and are none.
type tally struct{ good, bad int }

// share is the part of the words that are syllables.
func (t tally) share() float64 {
	if t.good == 0 {
		return 0
	}
	return float64(t.good) / float64(t.good+t.bad)
}

// plainSigns are signs that stand in Vietnamese tables and say nothing of their encoding.
const plainSigns = "°′″º–—‘’“”…·×²³±\u00a0\ufeff≤≥"

// count counts the words of a text.
func (s *speller) count(text string) tally {
	var t tally
	for text != "" {
		n := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
		switch {
		case n < 0:
			n = len(text)
			fallthrough
		case n > 0:
			if word := text[:n]; !ascii(word) {
				if s.syllable(word) {
					t.good++
				} else {
					t.bad++
				}
			}
			text = text[n:]
		default:
			r, size := utf8.DecodeRuneInString(text)
			if r >= utf8.RuneSelf && !strings.ContainsRune(plainSigns, r) {
				t.bad++
			}
			text = text[size:]
		}
	}
	return t
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
