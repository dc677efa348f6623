package bench

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Group is several subjects that are compared with each other in one table.
type Group struct {
	Title    string
	Text     string // a paragraph, or ""
	Workers  int    // the number of goroutines of a second, parallel measurement; 0 means that only the first one is made
	Subjects []Subject
	Limits   []string // names of more subjects to compare with, besides the limits of the targets
	Targets  []Target
}

// A Target says how much longer than a limit a subject may take.
type Target struct {
	Subject, Limit string
	Most           float64 // the longest time that meets the target, as a multiple of the limit's time
	Serial         bool    // the target holds for the serial measurement too, not only for the parallel one
	Allocs         float64 // the most allocations of one operation; 0 means any number
}

// A Verdict is a target with the figure that was measured for it.
type Verdict struct {
	What, Want, Got string
	Met             bool
}

// run measures the group, prints its table and returns the verdicts. It calls build and
// done for each round. So each round has new connections and statements, because some of
// them stay faster than others as long as they live.
func run(out io.Writer, s Settings, rounds int, build func() (g Group, done func())) []Verdict {
	var (
		g                Group
		serial, parallel []Figure
	)
	s.Passes = (s.Passes + rounds - 1) / rounds
	for range rounds {
		var done func()
		g, done = build()
		serial = joined(serial, s.measure(g.Subjects, 1))
		if g.Workers > 0 {
			parallel = joined(parallel, s.measure(g.Subjects, g.Workers))
		}
		done()
	}
	if g.Workers == 0 {
		parallel = serial
	}
	g.print(out, serial, parallel)
	var verdicts []Verdict
	for _, t := range g.Targets {
		verdicts = append(verdicts, g.judge(t, serial, parallel)...)
	}
	return verdicts
}

// joined returns the figures of round. The times of the earlier rounds, which are in all,
// stand before the times of round.
func joined(all, round []Figure) []Figure {
	for i := range all {
		round[i].Times = append(all[i].Times, round[i].Times...)
	}
	return round
}

func (g Group) judge(t Target, serial, parallel []Figure) (verdicts []Verdict) {
	subject, limit := g.find(t.Subject), g.find(t.Limit)
	judge := func(how string, figures []Figure) {
		got := figures[subject].Over(figures[limit])
		lower, upper := figures[subject].Quartiles(figures[limit])
		verdicts = append(verdicts, Verdict{
			What: g.Title + how + ": " + t.Subject, Want: fmt.Sprintf("≤ %.2f × %s", t.Most, t.Limit), Got: fmt.Sprintf("%.2f (%.2f to %.2f)", got, lower, upper), Met: got <= t.Most,
		})
	}
	if g.Workers == 0 {
		judge("", serial)
		return verdicts
	}
	if t.Serial {
		judge(", serial", serial)
	}
	judge(", parallel", parallel)
	if got := serial[subject].Allocs; t.Allocs > 0 {
		verdicts = append(verdicts, Verdict{
			What: g.Title + ": allocations", Want: fmt.Sprintf("≤ %.0f", t.Allocs), Got: fmt.Sprintf("%.0f", got), Met: got <= t.Allocs+0.5,
		})
	}
	return verdicts
}

func (g Group) find(name string) int {
	i := slices.IndexFunc(g.Subjects, func(s Subject) bool { return s.Name == name })
	if i < 0 {
		panic("bench: no subject " + name + " in " + g.Title)
	}
	return i
}

// print prints each subject's time, and that time as a multiple of each limit's time.
func (g Group) print(out io.Writer, serial, parallel []Figure) {
	limits := g.limits()
	header := []string{"", "µs"}
	if g.Workers > 0 {
		header = append(header, fmt.Sprintf("µs, %d at once", g.Workers))
	}
	for _, limit := range limits {
		header = append(header, "× "+limit)
		if g.Workers > 0 {
			header = append(header, "at once")
		}
	}
	rows := [][]string{append(header, "allocations")}
	for i, subject := range g.Subjects {
		row := []string{subject.Name, micro(serial[i].Median())}
		if g.Workers > 0 {
			row = append(row, micro(parallel[i].Median()))
		}
		for _, limit := range limits {
			row = append(row, fmt.Sprintf("%.2f", serial[i].Over(serial[g.find(limit)])))
			if g.Workers > 0 {
				row = append(row, fmt.Sprintf("%.2f", parallel[i].Over(parallel[g.find(limit)])))
			}
		}
		rows = append(rows, append(row, fmt.Sprintf("%.0f", serial[i].Allocs)))
	}
	heading(out, g.Title, g.Text)
	printTable(out, rows)
}

// limits returns the names of the subjects to compare with, each once.
func (g Group) limits() []string {
	names := slices.Clone(g.Limits)
	for _, t := range g.Targets {
		if !slices.Contains(names, t.Limit) {
			names = append(names, t.Limit)
		}
	}
	return names
}

func heading(out io.Writer, title, text string) {
	_, _ = fmt.Fprintf(out, "\n### %s\n\n", title)
	if text != "" {
		_, _ = fmt.Fprintf(out, "%s\n\n", text)
	}
}

// printTable prints a Markdown table. The first row is the header.
func printTable(out io.Writer, rows [][]string) {
	for i, row := range rows {
		_, _ = fmt.Fprintln(out, "| "+strings.Join(row, " | ")+" |")
		if i == 0 {
			_, _ = fmt.Fprintln(out, "|---"+strings.Repeat("|--:", len(row)-1)+"|")
		}
	}
}

// micro returns a time in microseconds with three digits.
func micro(ns float64) string {
	us := ns / 1000
	switch {
	case us < 10:
		return fmt.Sprintf("%.2f", us)
	case us < 100:
		return fmt.Sprintf("%.1f", us)
	default:
		return fmt.Sprintf("%.0f", us)
	}
}

// printVerdicts prints the targets. Those that were missed come first.
func printVerdicts(out io.Writer, verdicts []Verdict) {
	slices.SortStableFunc(verdicts, func(a, b Verdict) int { return cmp.Compare(order(a), order(b)) })
	rows := [][]string{{"target", "wanted", "measured", ""}}
	for _, v := range verdicts {
		rows = append(rows, []string{v.What, v.Want, v.Got, map[bool]string{true: "met", false: "**missed**"}[v.Met]})
	}
	heading(out, "Targets", "Medians, and the quartiles where there are many passes.")
	printTable(out, rows)
}

func order(v Verdict) int {
	if v.Met {
		return 1
	}
	return 0
}
