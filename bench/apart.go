package bench

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// apart calls measure while the process has this machine's last CPU for itself, and the
// benchmark the others: as if that process ran on a machine of its own. Otherwise they
// take turns on all CPUs, and what is measured is the sum of their work. measure is told
// how it is.
func (r *Run) apart(pid int, measure func(how string)) {
	together := sprint("client and server share this machine's %d CPUs", r.cpus)
	all, err := allowedCPUs()
	if pid == 0 || err != nil || len(all) < 2 {
		measure(together)
		return
	}
	own, others := all[len(all)-1:], all[:len(all)-1]
	if keepTo(own, pid) != nil || keepTo(others, os.Getpid()) != nil {
		_ = keepTo(all, pid) // it may be bound alone
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

// allowedCPUs are those that this process may use, on Linux, in order.
func allowedCPUs() (all []int, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, err
	}
	_, list, _ := strings.Cut(string(status), "\nCpus_allowed_list:")
	list, _, _ = strings.Cut(list, "\n")
	for span := range strings.SplitSeq(strings.TrimSpace(list), ",") { // 0-3,6
		from, to, isSpan := strings.Cut(span, "-")
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

// keepTo binds all threads of a process, and those that they will start.
func keepTo(cpus []int, pid int) error {
	list := strings.Trim(strings.ReplaceAll(fmt.Sprint(cpus), " ", ","), "[]")
	return exec.CommandContext(background, "taskset", "--all-tasks", "--cpu-list", "--pid", list, strconv.Itoa(pid)).Run() //nolint:gosec // numbers
}
