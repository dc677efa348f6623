// Package bench measures what an authenticated request costs with this library on each of
// its stores, with other libraries, and with limits. A limit is the least that any library
// has to do. The command in cmd/table prints the figures and which targets they meet.
//
// Subjects that are compared are measured in turns. In each pass every subject runs for a
// while, in a random order, so that other work of the machine affects all of them. A ratio
// is the median of the ratios of the passes.
package bench

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"
)

// A Subject is something to measure.
type Subject struct {
	Name string

	// Start returns an operation that one goroutine repeats. The operation panics if it
	// fails, because the figure of a failing operation is worthless.
	Start func() (op func())
}

// Settings say how long to measure.
type Settings struct {
	Passes int           // how many passes there are; at least 8 if ratios matter
	Pass   time.Duration // how long one subject runs in a pass
}

// A Figure is the result of measuring one subject.
type Figure struct {
	Times  []float64 // nanoseconds of wall-clock time for each operation, one figure for each pass
	Allocs float64   // allocations of all goroutines for each operation; counted in serial measurements only
}

// Median returns the median of Times.
func (f Figure) Median() float64 { return median(f.Times) }

// Over returns the subject's time as a multiple of the limit's time. It is the median of
// the ratios of the passes.
func (f Figure) Over(limit Figure) float64 { return median(f.ratios(limit)) }

// Quartiles returns the quartiles of the ratios. Their median is what Over returns.
func (f Figure) Quartiles(limit Figure) (lower, upper float64) {
	ratios := slices.Sorted(slices.Values(f.ratios(limit)))
	n := len(ratios)
	return ratios[n/4], ratios[n-1-n/4]
}

func (f Figure) ratios(limit Figure) []float64 {
	ratios := make([]float64, len(f.Times))
	for i := range ratios {
		ratios[i] = f.Times[i] / limit.Times[i]
	}
	return ratios
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// measure measures the subjects in turns, each with this number of workers. With one worker
// it also counts allocations.
func (s Settings) measure(subjects []Subject, workers int) []Figure {
	figures := make([]Figure, len(subjects))
	ops, counts := make([][]func(), len(subjects)), make([]int, len(subjects))
	for i, subject := range subjects {
		for range workers {
			ops[i] = append(ops[i], subject.Start())
		}
		for range 3 { // warms up: opens connections, prepares statements and lets the server choose plans
			repeat(ops[i], s.calibrate(ops[i]))
		}
	}
	for i := range subjects { // calibrates only after all subjects have warmed up
		counts[i] = s.calibrate(ops[i])
		if workers == 1 {
			figures[i].Allocs = allocs(ops[i][0], min(100, counts[i]))
		}
	}
	order := make([]int, len(subjects))
	for i := range order {
		order[i] = i
	}
	for range s.Passes {
		//nolint:gosec // the random order of the subjects is not a secret
		rand.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
		for _, i := range order {
			// This part is not measured, because it pays for what the subject that ran
			// before has left behind, such as emptied caches.
			repeat(ops[i], counts[i]/4)
			each := float64(repeat(ops[i], counts[i])) / float64(counts[i])
			figures[i].Times = append(figures[i].Times, each)
		}
	}
	return figures
}

// calibrate returns how many operations take the time of a pass. It returns at least one
// operation for each worker.
func (s Settings) calibrate(ops []func()) int {
	for n := len(ops); ; n *= 2 {
		took := repeat(ops, n)
		if took >= s.Pass/2 {
			return max(len(ops), int(float64(n)*float64(s.Pass)/float64(took)))
		}
	}
}

// repeat runs n operations, divided among the workers, whose operations are in ops. It
// returns how long the n operations took.
func repeat(ops []func(), n int) time.Duration {
	if len(ops) == 1 {
		began := time.Now()
		for range n {
			ops[0]()
		}
		return time.Since(began)
	}
	var wg sync.WaitGroup
	began := time.Now()
	for i, op := range ops {
		share := n / len(ops)
		if i < n%len(ops) {
			share++
		}
		wg.Go(func() {
			for range share {
				op()
			}
		})
	}
	wg.Wait()
	return time.Since(began)
}

func allocs(op func(), n int) float64 {
	var before, after runtime.MemStats
	op()
	runtime.ReadMemStats(&before)
	for range n {
		op()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func must1[T any](v T, err error) T {
	must(err)
	return v
}
