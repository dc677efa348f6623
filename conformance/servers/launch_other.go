//go:build unix && !linux

package servers

import "os/exec"

// launch starts a command. If this process is killed, the command goes on.
func launch(cmd *exec.Cmd, _ bool) error {
	if err := asUser(cmd); err != nil {
		return err
	}
	cmd.SysProcAttr.Setsid = true
	return cmd.Start()
}
