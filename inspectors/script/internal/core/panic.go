package core

import (
	"sync"
	"sync/atomic"
)

// Machine keeps the state of one interpreter: the functions whose deferred calls run.
type Machine struct {
	// Recovered is called when the script has recovered from a panic, or nil.
	Recovered func()

	stopped atomic.Bool
	line    *int // where the script stores its current line, or nil

	mu      sync.Mutex
	running []*Defers // innermost last
}

// At tells the machine where the script stores its current line.
func (m *Machine) At(line *int) { m.line = line }

// Line is the current source line of the script, or that of its panic; 0 if unknown.
func (m *Machine) Line() int {
	if m.line == nil {
		return 0
	}
	return *m.line
}

// Begin forgets the current line.
func (m *Machine) Begin() { m.setLine(0) }

func (m *Machine) setLine(line int) {
	if m.line != nil {
		*m.line = line
	}
}

// Stop says that the interpreter was cut off: it runs nothing any more, and its deferred
// calls are dropped.
func (m *Machine) Stop() { m.stopped.Store(true) }

// Defers are the calls that one call of a function has deferred.
type Defers struct {
	machine *Machine
	calls   []deferred

	panicking bool
	value     any
	line      int  // at which it panicked
	handles   bool // the running deferred call may recover
}

type deferred struct {
	f       func()
	handles bool
}

// NewDefers makes an empty stack of deferred calls.
func (m *Machine) NewDefers() *Defers { return &Defers{machine: m} }

// Push defers a call. Handles says whether it may call recover itself.
func (d *Defers) Push(f func(), handles bool) { d.calls = append(d.calls, deferred{f, handles}) }

// Run runs the body of a function, and then its deferred calls, the last first. A panic
// continues to the caller if no deferred call recovers.
func (d *Defers) Run(body func()) {
	d.call(body)
	m := d.machine
	m.mu.Lock()
	m.running = append(m.running, d)
	depth := len(m.running)
	m.mu.Unlock()
	for len(d.calls) > 0 && !m.stopped.Load() {
		last := d.calls[len(d.calls)-1]
		d.calls = d.calls[:len(d.calls)-1]
		d.handles = last.handles
		d.call(last.f)
		m.mu.Lock()
		m.running = m.running[:depth]
		m.mu.Unlock()
	}
	m.mu.Lock()
	m.running = m.running[:depth-1]
	m.mu.Unlock()
	if d.panicking {
		m.setLine(d.line)
		panic(d.value)
	}
}

// call calls f and keeps its panic.
func (d *Defers) call(f func()) {
	normal := false
	defer func() {
		if normal {
			return
		}
		d.value, d.line = recover(), d.machine.Line()
		d.panicking = true
	}()
	f()
	normal = true
}

// Recover ends the panic of the function whose deferred call runs, and returns
// its value.
func (m *Machine) Recover() any {
	m.mu.Lock()
	var d *Defers
	if n := len(m.running); n > 0 {
		d = m.running[n-1]
	}
	m.mu.Unlock()
	if d == nil || !d.panicking || !d.handles {
		return nil
	}
	d.panicking = false
	v := d.value
	d.value = nil
	if m.Recovered != nil {
		m.Recovered()
	}
	return Normalised(v)
}

// Panic panics with the value in an interface.
func Panic(v any) { panic(v) }
