package bench

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// apart calls measure while the process pid has this machine's last CPU for itself and the
// benchmark has the other CPUs, as if the process ran on another machine. If that is not
// possible, both share all CPUs, and the figures are the sum of their work. measure gets a
// text for the table that says whether the CPUs are shared.
func (r *Run) apart(pid int, measure func(how string)) {
	together := sprint("client and server share this machine's %d CPUs", r.cpus)
	all, err := allowedCPUs()
	if pid == 0 || err != nil || len(all) < 2 {
		measure(together)
		return
	}
	own, others := all[len(all)-1:], all[:len(all)-1]
	if keepTo(own, pid) != nil || keepTo(others, os.Getpid()) != nil {
		_ = keepTo(all, pid) // undoes the first call of keepTo, which may have succeeded
		measure(together)
		return
	}
	defer func() {
		must(keepTo(all, pid))
		must(keepTo(all, os.Getpid()))
	}()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(len(others)))
	measure(sprint("of this machine's %d CPUs the server has one for itself, the client the rest", r.cpus))
}

// allowedCPUs returns the CPUs that this process may use, in order. It works on Linux only.
func allowedCPUs() (all []int, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, err
	}
	_, list, _ := strings.Cut(string(status), "\nCpus_allowed_list:")
	list, _, _ = strings.Cut(list, "\n")
	for span := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		from, to, isSpan := strings.Cut(span, "-") // a span is "6" or "0-3"
		if !isSpan {
			to = from
		}
		first, err := strconv.Atoi(from)
		if err != nil {
			return nil, err
		}
		last, err := strconv.Atoi(to)
		if err != nil {
			return nil, err
		}
		for cpu := first; cpu <= last; cpu++ {
			all = append(all, cpu)
		}
	}
	return all, nil
}

// keepTo binds all threads of a process, and the threads that they start later, to these
// CPUs.
func keepTo(cpus []int, pid int) error {
	list := strings.Trim(strings.ReplaceAll(fmt.Sprint(cpus), " ", ","), "[]")
	return exec.CommandContext(background, "taskset", "--all-tasks", "--cpu-list", "--pid", list, strconv.Itoa(pid)).Run() //nolint:gosec // the arguments are constants and numbers
}
