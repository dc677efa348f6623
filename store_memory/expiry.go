package memstore

import "github.com/googlesession/googlesession"

// sweepSteps is how much of what has expired a call clears away: more than the one
// session that it adds, so that sweeping keeps up, and little enough that nobody
// waits.
const sweepSteps = 8

// sweep looks at the sessions that are due. One that was used since is put back
// with its new deadline, so that a touch costs nothing here.
func (sh *shard) sweep(now int64, steps int) {
	for range steps {
		if len(sh.due) == 0 || sh.at(sh.due[0]).due > now {
			break
		}
		i := sh.due[0]
		rec := sh.at(i)
		if rec.alive(now) {
			rec.due = rec.end()
			sh.down(0)
			continue
		}
		sh.remove(i, now)
	}
	for range steps {
		if len(sh.idle) == 0 || sh.idle[0].until > now {
			return
		}
		sh.forget(now)
	}
}

// idleUser is a place in the queue of users to forget.
type idleUser struct {
	id    string
	until int64
}

// release queues a user who is not the truth's and has no session left.
func (sh *shard) release(u *user, now int64) {
	if u.known || u.count > 0 || u.queued {
		return
	}
	// Never earlier than what is queued already: the queue stays in order.
	until := max(u.until, now+googlesession.SignInWindow.Milliseconds())
	u.queued = true
	sh.idle = append(sh.idle, idleUser{u.ID, until})
}

// forget drops the first of the queue, or queues it again if it was heard of since.
func (sh *shard) forget(now int64) {
	first := sh.idle[0]
	sh.idle[0] = idleUser{}
	sh.idle = sh.idle[1:]
	u := sh.users[first.id]
	if u == nil || !u.queued {
		return
	}
	u.queued = false
	if u.known || u.count > 0 {
		return
	}
	if u.until > now {
		sh.release(u, now)
		return
	}
	delete(sh.users, u.ID)
	sh.vacant = append(sh.vacant, u.index)
	*u = user{} // or its texts would stay
}

// The heap orders slots by due; records know their place in it, so that an ended
// session leaves it at once.

func (sh *shard) push(i uint32) {
	sh.due = append(sh.due, i)
	sh.swap(len(sh.due)-1, len(sh.due)-1) // sets its place
	sh.up(len(sh.due) - 1)
}

func (sh *shard) pull(pos uint32) {
	last := len(sh.due) - 1
	p := int(pos)
	sh.swap(p, last)
	sh.due = sh.due[:last]
	if p < last {
		sh.down(p)
		sh.up(p)
	}
}

func (sh *shard) up(p int) {
	for p > 0 {
		parent := (p - 1) / 2
		if sh.at(sh.due[parent]).due <= sh.at(sh.due[p]).due {
			return
		}
		sh.swap(p, parent)
		p = parent
	}
}

func (sh *shard) down(p int) {
	for {
		least := p
		for child := 2*p + 1; child <= 2*p+2 && child < len(sh.due); child++ {
			if sh.at(sh.due[child]).due < sh.at(sh.due[least]).due {
				least = child
			}
		}
		if least == p {
			return
		}
		sh.swap(p, least)
		p = least
	}
}

func (sh *shard) swap(a, b int) {
	sh.due[a], sh.due[b] = sh.due[b], sh.due[a]
	sh.at(sh.due[a]).pos = uint32(a) //nolint:gosec // slots are numbered with 32 bits
	sh.at(sh.due[b]).pos = uint32(b) //nolint:gosec // as above
}

// deviceTable interns devices: many sessions come from few browsers, and a record
// without strings holds no pointer. Index 0 is the empty device.
type deviceTable struct {
	index   map[googlesession.Device]uint32
	devices []device
	vacant  []uint32
}

type device struct {
	googlesession.Device
	refs int
}

func (t *deviceTable) init() {
	t.index = map[googlesession.Device]uint32{}
	t.devices = make([]device, 1)
}

func (t *deviceTable) at(i uint32) googlesession.Device { return t.devices[i].Device }

func (t *deviceTable) take(d googlesession.Device) uint32 {
	if d == (googlesession.Device{}) {
		return 0
	}
	i, ok := t.index[d]
	if !ok {
		if n := len(t.vacant); n > 0 {
			i, t.vacant = t.vacant[n-1], t.vacant[:n-1]
		} else {
			i = uint32(len(t.devices)) //nolint:gosec // no more than sessions, and those have 32 bits
			t.devices = append(t.devices, device{})
		}
		t.devices[i] = device{Device: d}
		t.index[d] = i
	}
	t.devices[i].refs++
	return i
}

func (t *deviceTable) give(i uint32) {
	if i == 0 {
		return
	}
	if t.devices[i].refs--; t.devices[i].refs == 0 {
		delete(t.index, t.devices[i].Device)
		t.devices[i] = device{}
		t.vacant = append(t.vacant, i)
	}
}
