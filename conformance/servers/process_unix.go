//go:build unix

package servers

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// The signals that make a process hang and go on.
const (
	SignalPause  = syscall.SIGSTOP
	SignalResume = syscall.SIGCONT
)

func kill(pid int, signal syscall.Signal) error { return syscall.Kill(pid, signal) }

// exists reports whether there is a process of this number.
func exists(pid int) bool { return syscall.Kill(pid, 0) == nil }

// asUser makes the command run as the user that the servers run as.
func asUser(cmd *exec.Cmd) error {
	id, err := runAs()
	if err != nil {
		return err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: id}
	return nil
}

// own gives the path to the user that the servers run as.
func own(path string) error {
	id, err := runAs()
	if err != nil || id == nil {
		return err
	}
	return os.Chown(path, int(id.Uid), int(id.Gid))
}

// runAs is nil unless this process is root's: PostgreSQL and MariaDB refuse root.
func runAs() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // this user
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
