package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Options are the settings of [Table].
type Options struct {
	// Quick measures small sizes for a short time. Such figures say little.
	Quick bool

	// Passes is how many times each subject is measured. Zero means 64, or 8 if Quick is
	// set.
	Passes int

	// Pass is how long one measurement of a subject takes. Zero means 20 ms, or 10 ms if
	// Quick is set.
	Pass time.Duration

	// Largest is the largest number of sessions in the comparison of sizes. Zero means
	// 10,000,000, or 2000 if Quick is set.
	Largest int

	// Only matches the names of the sections to measure. Nil means all sections.
	Only *regexp.Regexp

	// Servers names the servers to measure on. Nil means that Table starts a private server
	// of each kind that is installed.
	Servers *Servers
}

// A Run is one run of [Table].
type Run struct {
	Options

	out      io.Writer
	cpus     int
	dir      string // the folder of the SQLite files
	servers  *Servers
	verdicts []Verdict
}

// ErrMissed means that [Table] has printed the table and that a target was missed.
var ErrMissed = errors.New("targets were missed")

// Table measures everything and prints the figures as Markdown. It returns [ErrMissed] if a
// target was missed, and other errors if it could not measure.
func Table(out io.Writer, o Options) (err error) {
	if o.Passes == 0 {
		o.Passes = pickIf(o.Quick, 8, 64)
	}
	if o.Pass == 0 {
		o.Pass = pickIf(o.Quick, 10*time.Millisecond, 20*time.Millisecond)
	}
	if o.Largest == 0 {
		o.Largest = pickIf(o.Quick, 2000, 10_000_000)
	}
	servers := o.Servers
	if servers == nil {
		if servers, err = StartServers(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, servers.Stop()) }()
	}
	r := &Run{Options: o, out: out, cpus: runtime.GOMAXPROCS(0)}
	r.servers, err = servers.scratch()
	if r.servers != nil {
		defer func() { err = errors.Join(err, r.servers.dropAll()) }()
	}
	if err != nil {
		return err
	}
	if r.dir, err = os.MkdirTemp("", "googlesession-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	began := time.Now()
	_, _ = fmt.Fprintf(out, "%s.\n", r.machine())
	for _, section := range r.sections() {
		if o.Only == nil || o.Only.MatchString(section.name) {
			section.run()
			debug.FreeOSMemory() // frees memory, so that the next section begins with an empty heap
		}
	}
	if len(r.verdicts) > 0 {
		printVerdicts(out, r.verdicts)
	}
	_, _ = fmt.Fprintf(out, "\nMeasured in %v, in %d passes.\n", time.Since(began).Round(time.Second), o.Passes)
	for _, v := range r.verdicts {
		if !v.Met {
			return ErrMissed
		}
	}
	return nil
}

type section struct {
	name string
	run  func()
}

func (r *Run) sections() []section {
	all := []section{{"memory", r.inMemory}, {"redis", r.onRedis}}
	for _, d := range r.databases() {
		all = append(all, section{strings.ToLower(d.Name), func() { r.onSQL(d) }})
	}
	return append(all,
		section{"bound", r.bound},
		section{"verify", r.verification},
		section{"revoke", r.revocation},
		section{"http", r.overHTTP},
		section{"footprint", r.footprint},
		section{"sizes", r.sizes},
		section{"scale", r.scaling},
		section{"past", r.past},
		section{"users", r.directory},
		section{"sessions", r.everySession},
		section{"growth", r.growth},
	)
}

// group measures a group in one round, with the run's settings.
func (r *Run) group(g Group) {
	r.verdicts = append(r.verdicts, run(r.out, r.settings(), 1, func() (Group, func()) { return g, func() {} })...)
}

// connected measures a group that uses a pool of connections, in several rounds. build
// opens a new pool for each round.
func (r *Run) connected(build func() (g Group, done func())) {
	const rounds = 8
	r.verdicts = append(r.verdicts, run(r.out, r.settings(), min(rounds, r.Passes), build)...)
}

func (r *Run) settings() Settings { return Settings{r.Passes, r.Pass} }

func (r *Run) verdict(what string, got, most float64, unit string) {
	r.verdicts = append(r.verdicts, Verdict{
		What: what, Want: "≤ " + number(most) + unit, Got: number(got) + unit, Met: got <= most,
	})
}

func (r *Run) skip(title, why string) { heading(r.out, title, "Skipped: "+why+".") }

// pick returns quick if the run is quick, and size otherwise.
func (r *Run) pick(size, quick int) int { return pickIf(r.Quick, quick, size) }

func pickIf[T any](condition bool, yes, no T) T {
	if condition {
		return yes
	}
	return no
}

// number formats x with at most two decimals.
func number(x float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", x), "0"), ".")
}

func sprint(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// machine returns the date, the machine and the versions of Go and the servers as one line
// of text.
func (r *Run) machine() string {
	parts := []string{time.Now().UTC().Format(time.DateOnly), sprint("%d CPUs, %s", r.cpus, model()), runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH}
	parts = append(parts, r.servers.Versions()...)
	return strings.Join(parts, "; ")
}

// model returns the model of the CPU, or "of unknown model" if the system does not tell it.
func model() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "of unknown model"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "of unknown model"
}
