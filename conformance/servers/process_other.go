//go:build !unix

package servers

import (
	"errors"
	"os/exec"
	"syscall"
)

// errNoUnix says why this package starts no server here. Tests take the servers that
// the environment names.
var errNoUnix = errors.New("private servers need a Unix system")

// The signals that make a process hang and go on.
const (
	SignalPause  = syscall.Signal(-1)
	SignalResume = syscall.Signal(-1)
)

func launch(*exec.Cmd, bool) error { return errNoUnix }

func asUser(*exec.Cmd) error { return errNoUnix }

func kill(int, syscall.Signal) error { return errNoUnix }

func exists(int) bool { return false }

func own(string) error { return nil }
