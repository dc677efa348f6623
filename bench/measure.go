// Package bench measures what an authenticated request costs: through this library on
// each of its stores, through its peers, and at the least, its limits. The command in
// cmd/table prints the figures and says which targets they meet.
//
// What is compared is measured in turns: in each pass every subject runs for a while,
// in another order, so that whatever else the machine does falls on all of them. A
// ratio is the median of the passes' ratios.
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

	// Start returns what one goroutine does again and again. It panics when it goes
	// wrong: a figure of what fails is worth nothing.
	Start func() (op func())
}

// Settings say how long to measure.
type Settings struct {
	Passes int           // at least 8 where ratios matter
	Pass   time.Duration // of one subject
}

// A Figure is what was measured of a subject.
type Figure struct {
	Times  []float64 // nanoseconds of wall-clock time for each operation, by pass
	Allocs float64   // of one operation, by whatever goroutine; of serial measurements only
}

// Median is that of Times.
func (f Figure) Median() float64 { return median(f.Times) }

// Over is how many times as long as the limit the subject takes.
func (f Figure) Over(limit Figure) float64 { return median(f.ratios(limit)) }

// Quartiles are those of what Over is the median of.
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

// measure takes the subjects in turns. With one worker it counts allocations too.
func (s Settings) measure(subjects []Subject, workers int) []Figure {
	figures := make([]Figure, len(subjects))
	ops, counts := make([][]func(), len(subjects)), make([]int, len(subjects))
	for i, subject := range subjects {
		for range workers {
			ops[i] = append(ops[i], subject.Start())
		}
		for range 3 { // connections are made, statements prepared, plans chosen
			repeat(ops[i], s.calibrate(ops[i]))
		}
	}
	for i := range subjects { // when no one is the first any more
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
		//nolint:gosec // an order, not a secret
		rand.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
		for _, i := range order {
			// What the one before has left behind, such as caches that its writes have
			// emptied, is not this one's.
			repeat(ops[i], counts[i]/4)
			each := float64(repeat(ops[i], counts[i])) / float64(counts[i])
			figures[i].Times = append(figures[i].Times, each)
		}
	}
	return figures
}

// calibrate returns how many operations fill a pass, at least one for each worker.
func (s Settings) calibrate(ops []func()) int {
	for n := len(ops); ; n *= 2 {
		took := repeat(ops, n)
		if took >= s.Pass/2 {
			return max(len(ops), int(float64(n)*float64(s.Pass)/float64(took)))
		}
	}
}

// repeat does n operations, spread over the workers, and returns how long it took.
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
