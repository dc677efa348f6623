//go:build !unix

package servers

import (
	"errors"
	"os/exec"
	"syscall"
)

// errNoUnix is the error of every attempt to start a server on this system. Tests can still
// use servers that the environment names.
var errNoUnix = errors.New("private servers need a Unix system")

// SignalPause makes a process hang, and SignalResume makes it go on.
const (
	SignalPause  = syscall.Signal(-1)
	SignalResume = syscall.Signal(-1)
)

func launch(*exec.Cmd, bool) error { return errNoUnix }

func asUser(*exec.Cmd) error { return errNoUnix }

func kill(int, syscall.Signal) error { return errNoUnix }

func exists(int) bool { return false }

func own(string) error { return nil }
