package permit

import (
	"cmp"
	"slices"

	"hatang/geo"
)

// SharedCount is one request as the public figures count it.
type SharedCount struct {
	Year       int
	Owners     []string // who were asked
	Named      bool     // the plan there lets the figures name them
	State      ShareState
	AnswerDays *int // working days until all had answered, or one had declined; nil for no answer
}

// SharingFigures are the public register's counts: of one year, and of one owner where the
// plan lets them be named.
type SharingFigures struct {
	Year      int                `json:"year"`
	Owner     *string            `json:"owner"` // null for all whose owners are not named
	Requests  int                `json:"requests"`
	Outcomes  map[ShareState]int `json:"outcomes"` // by state; states that none is in are left out
	Answered  int                `json:"answered"`
	MedianDay *float64           `json:"answer_median_working_days"` // null where none is answered
	MostDays  *int               `json:"answer_max_working_days"`
}

// CountShared adds requests up, by year, the latest first, and by owner. A request to
// several counts for each of them where they are named. The order given does not matter.
func CountShared(requests []SharedCount) []SharingFigures {
	type group struct {
		year  int
		owner string
	}
	days := map[group][]int{}
	figures := map[group]*SharingFigures{}
	for _, r := range requests {
		owners := []string{""}
		if r.Named {
			owners = r.Owners
		}
		for _, owner := range owners {
			at := group{r.Year, owner}
			f := figures[at]
			if f == nil {
				f = &SharingFigures{Year: r.Year, Outcomes: map[ShareState]int{}}
				if owner != "" {
					f.Owner = &owner
				}
				figures[at] = f
			}
			f.Requests++
			f.Outcomes[r.State]++
			if r.AnswerDays != nil {
				days[at] = append(days[at], *r.AnswerDays)
			}
		}
	}
	out := []SharingFigures{}
	for at, f := range figures {
		f.answers(days[at])
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b SharingFigures) int { return cmp.Or(b.Year-a.Year, cmp.Compare(a.owner(), b.owner())) })
	return out
}

func (f *SharingFigures) owner() string {
	if f.Owner == nil {
		return ""
	}
	return *f.Owner
}

func (f *SharingFigures) answers(days []int) {
	if f.Answered = len(days); len(days) == 0 {
		return
	}
	slices.Sort(days)
	n := len(days)
	median := float64(days[(n-1)/2]+days[n/2]) / 2
	f.MedianDay, f.MostDays = &median, &days[n-1]
}

// Between returns how many days behind from are worked, up to and with to; 0 where to is not
// after from.
func (c Calendar) Between(from, to geo.Date) int {
	n := 0
	for day := from; day.Before(to); {
		if day = geo.DateOf(day.Time().AddDate(0, 0, 1)); c.works(day) {
			n++
		}
	}
	return n
}

// DueShare returns by when the next step is due in the state that a step has led to; zero for
// no date.
func (c Calendar) DueShare(state ShareState, today geo.Date) geo.Date {
	switch state {
	case ShareAsked:
		return c.After(today, c.Periods.SharingAnswerDays)
	case ShareMediation:
		return c.After(today, c.Periods.SharingMediationDays)
	}
	return geo.Date{}
}
