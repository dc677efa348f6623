//go:build !linux

package servers

import (
	"os/exec"
	"syscall"
)

// launch starts a command. It outlives a process that is killed.
func launch(cmd *exec.Cmd, _ bool) error {
	id, err := runAs()
	if err != nil {
		return err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: id, Setsid: true}
	return cmd.Start()
}
