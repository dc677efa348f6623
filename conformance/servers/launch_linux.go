package servers

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// launch starts a command. Unless detach is true, Linux kills the command when this process
// ends for any reason. Linux ties such a command to the thread that started it, so one
// thread starts them all and lives as long as the process.
func launch(cmd *exec.Cmd, detach bool) error {
	if err := asUser(cmd); err != nil {
		return err
	}
	cmd.SysProcAttr.Setsid = true
	if detach {
		return cmd.Start()
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	launcher.Do(func() {
		go func() {
			runtime.LockOSThread()
			for job := range jobs {
				job.err <- job.cmd.Start()
			}
		}()
	})
	result := make(chan error)
	jobs <- job{cmd, result}
	return <-result
}

type job struct {
	cmd *exec.Cmd
	err chan<- error
}

var (
	launcher sync.Once
	jobs     = make(chan job)
)
