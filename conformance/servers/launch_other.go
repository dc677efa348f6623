//go:build unix && !linux

package servers

import "os/exec"

// launch starts a command. The command keeps running if this process is killed.
func launch(cmd *exec.Cmd, _ bool) error {
	if err := asUser(cmd); err != nil {
		return err
	}
	cmd.SysProcAttr.Setsid = true
	return cmd.Start()
}
