//go:build unix

package servers

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// SignalPause makes a process hang, and SignalResume makes it go on.
const (
	SignalPause  = syscall.SIGSTOP
	SignalResume = syscall.SIGCONT
)

func kill(pid int, signal syscall.Signal) error { return syscall.Kill(pid, signal) }

// exists reports whether there is a process with this number.
func exists(pid int) bool { return syscall.Kill(pid, 0) == nil }

// asUser makes the command run as the user that runAs returns.
func asUser(cmd *exec.Cmd) error {
	id, err := runAs()
	if err != nil {
		return err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: id}
	return nil
}

// own makes the user that runAs returns the owner of the path.
func own(path string) error {
	id, err := runAs()
	if err != nil || id == nil {
		return err
	}
	return os.Chown(path, int(id.Uid), int(id.Gid))
}

// runAs returns the unprivileged user that the servers run as if this process runs as root,
// because PostgreSQL and MariaDB refuse to run as root. Otherwise it returns nil.
func runAs() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nil means the user of this process
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
