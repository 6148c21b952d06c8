// Package server is the child's end of the process boundary: it has the inspectors
// of one process, runs them when the agent asks, and makes sure that an inspector
// which panics, hangs or never returns spoils nothing but its own run.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/mask"
	"github.com/vedettehq/vedette/internal/meter"
	"github.com/vedettehq/vedette/plugins/internal/link"
	"github.com/vedettehq/vedette/plugins/internal/sandbox"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// Program is an inspector that was built from source. It attaches the goroutine
// that runs the source to the meter of the context, see package meter, and counts
// what the source prints with it.
type Program interface {
	inspectors.Inspector
	// Leaked returns how many goroutines earlier runs still hold.
	Leaked() int
	// Close frees the program. No run may be in progress.
	Close()
}

// Builder makes a program from a script. What the script prints, then and later,
// goes to output.
type Builder func(d inspectors.Definition, output io.Writer) (Program, error)

// Options say what a Server offers.
type Options struct {
	// Offered are the inspectors of a plugin, by name.
	Offered map[string]inspectors.Inspector
	// Build makes inspectors from scripts, or is nil if none are taken.
	Build Builder
	// Marker is the flight recorder, or nil.
	Marker *link.Marker
	// Warnings returns the settings that could not be applied, or is nil.
	Warnings func() []string
	// Isolation returns how the process is isolated, or is nil.
	Isolation func() sandbox.Report
}

// Server implements the contract. It is safe for use by any number of calls at the
// same time.
type Server struct {
	pb.UnimplementedInspectorServiceServer

	options Options
	gate    gate

	mu    sync.Mutex
	units map[string]*unit // guarded by mu

	flying    atomic.Int64 // runs under way
	abandoned atomic.Int64 // runs that were given up and still continue
	retired   atomic.Int64 // goroutines leaked by programs that are gone
	files     fileCounter

	executions *executions
	mask       mask.Mask // the secrets that Secret has returned
}

// unit is one inspector that is ready to run.
type unit struct {
	inspector inspectors.Inspector
	program   Program // the inspector if it was built from source, or else nil
	lines     *lineWriter
	idle      chan struct{}               // holds one token while no run is in progress
	gone      chan struct{}               // closed when the unit is removed; a current run continues
	meter     atomic.Pointer[meter.Meter] // of the latest run, or nil
	counters  inspectors.Counters         // owned by the holder of idle's token
}

// leave ends the unit: runs that wait for it look for its replacement. It is
// called once.
func (u *unit) leave() { close(u.gone) }

// takeCPU returns the processor time that the latest run has taken since the last
// call.
func (u *unit) takeCPU() time.Duration { return u.meter.Load().Take() }

// rest is the state of the unit's slot between runs.
func (u *unit) rest() link.SlotState {
	if u.program != nil && u.program.Leaked() > 0 {
		return link.Lingering
	}
	return link.Idle
}

// New makes a server. It starts nothing.
func New(o Options) *Server {
	s := &Server{options: o, gate: make(gate, 1), units: make(map[string]*unit, len(o.Offered)), executions: newExecutions()}
	for name, inspector := range o.Offered {
		s.units[name] = newUnit(inspector, nil, nil)
	}
	return s
}

func newUnit(i inspectors.Inspector, p Program, lines *lineWriter) *unit {
	u := &unit{inspector: i, program: p, lines: lines, idle: make(chan struct{}, 1), gone: make(chan struct{})}
	u.idle <- struct{}{}
	return u
}

// Describe says what the process offers.
func (s *Server) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeReply, error) {
	reply := &pb.DescribeReply{LoadsScripts: s.options.Build != nil}
	for name := range s.options.Offered {
		reply.Inspectors = append(reply.Inspectors, name)
	}
	slices.Sort(reply.Inspectors)
	if s.options.Warnings != nil {
		reply.Warnings = s.options.Warnings()
	}
	if s.options.Isolation != nil {
		report := s.options.Isolation()
		for _, layer := range report.Layers {
			reply.Layers = append(reply.Layers, &pb.Layer{Name: layer})
		}
		for _, m := range report.Missing {
			reply.Layers = append(reply.Layers, &pb.Layer{Name: m.Layer, Missing: m.Reason})
		}
	}
	return reply, nil
}

// Load builds a script. A build that outlives the call is dropped when it ends.
func (s *Server) Load(ctx context.Context, req *pb.LoadRequest) (*pb.LoadReply, error) {
	if s.options.Build == nil {
		return nil, status.Error(codes.Unimplemented, "this process takes no scripts")
	}
	built := make(chan buildResult, 1)
	go func() {
		result := buildResult{err: errGoexit}
		defer func() { built <- result }()
		result = s.build(req)
	}()
	select {
	case b := <-built:
		if b.err != nil {
			reply := loadFault(b.err, &s.mask)
			reply.StarvedNs = int64(b.starved)
			return reply, nil
		}
		s.install(req.GetName(), b.unit)
		return &pb.LoadReply{}, nil
	case <-ctx.Done():
		go func() {
			if b := <-built; b.err == nil {
				b.unit.program.Close()
			}
		}()
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

type buildResult struct {
	unit    *unit
	err     error
	starved time.Duration // how long the process was kept from building
}

// BuildTime is the least time that building a script may take, however short its
// runs have to be: it is done once, and is most of the work on a busy machine.
const BuildTime = 10 * time.Second

func (s *Server) build(req *pb.LoadRequest) (result buildResult) {
	s.options.Marker.Mark(req.GetSlot(), link.Loading)
	defer s.options.Marker.Mark(req.GetSlot(), link.Idle)
	label(link.LabelLoading, req.GetName())
	lines := &lineWriter{mask: &s.mask}
	clock := meter.New(meter.Limits{}, s.alone, func(*meter.Excess) {})
	clock.Start()
	defer func() {
		clock.Stop()
		result.starved = clock.Starved()
	}()
	err := contain(func() error {
		d := definition(req)
		d.Timeout = max(d.Timeout, BuildTime)
		program, err := s.options.Build(d, lines)
		if err == nil {
			result.unit = newUnit(program, program, lines)
		}
		return err
	})
	if err != nil {
		return buildResult{err: err}
	}
	return result
}

// install puts a unit in place of the older one of its name.
func (s *Server) install(name string, u *unit) {
	s.mu.Lock()
	old := s.units[name]
	s.units[name] = u
	s.mu.Unlock()
	s.retire(old)
}

// Unload drops a script.
func (s *Server) Unload(_ context.Context, req *pb.UnloadRequest) (*pb.UnloadReply, error) {
	if s.options.Build == nil {
		return nil, status.Error(codes.Unimplemented, "this process takes no scripts")
	}
	s.mu.Lock()
	old := s.units[req.GetName()]
	delete(s.units, req.GetName())
	s.mu.Unlock()
	s.retire(old)
	return &pb.UnloadReply{}, nil
}

// retire closes a unit once its run has ended.
func (s *Server) retire(u *unit) {
	if u == nil || u.program == nil {
		return
	}
	u.leave()
	go func() {
		<-u.idle
		s.retired.Add(int64(u.program.Leaked()))
		u.program.Close()
	}()
}

func (s *Server) unit(name string) *unit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.units[name]
}

// leaked counts the runs that were given up and still hold something.
func (s *Server) leaked() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.abandoned.Load() + s.retired.Load()
	for _, u := range s.units {
		if u.program != nil {
			n += int64(u.program.Leaked())
		}
	}
	return uint32(max(n, 0))
}

// definition is the inverse of the agent's encoding of a definition.
func definition(req *pb.LoadRequest) inspectors.Definition {
	return inspectors.Definition{
		Name:     req.GetName(),
		Interval: time.Duration(req.GetIntervalMs()) * time.Millisecond,
		Timeout:  time.Duration(req.GetTimeoutMs()) * time.Millisecond,
		Script: &inspectors.Script{
			File:   req.GetFile(),
			Line:   int(req.GetLine()),
			Source: req.GetSource(),
			Core:   req.GetCore(),
		},
	}
}

func loadFault(err error, m *mask.Mask) *pb.LoadReply {
	reply := &pb.LoadReply{Error: cut(m, fmt.Sprint(err), maxErrorBytes), TimedOut: errors.Is(err, context.DeadlineExceeded)}
	for _, d := range diagnosticsOf(err) {
		reply.Diagnostics = append(reply.Diagnostics, &pb.Diagnostic{
			File: d.File, Line: int32(d.Line), Column: int32(d.Col), Message: m.Text(d.Message), Fix: d.Fix,
		})
	}
	return reply
}
