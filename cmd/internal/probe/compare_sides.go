package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vedettehq/vedette/cmd/internal/agentcmd"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/plugins/compare"
)

// side is one process that runs the script, one way or the other.
type side struct {
	d        inspectors.Definition
	programs []string // that the script may run
	pool     *plugins.Pool
}

// newSide starts a process with the inspector, which may run the given programs. The output
// of the script is dropped, because it would be printed many times.
func newSide(ctx context.Context, d inspectors.Definition, programs []string) (*side, error) {
	s := &side{d: d, programs: programs}
	return s, s.start(ctx)
}

func (s *side) start(ctx context.Context) error {
	pool, err := agentcmd.NewPool("", slog.New(slog.DiscardHandler), func(string, string) {}, allowExec(s.programs))
	if err != nil {
		return err
	}
	if err := pool.Load(ctx, s.d); err != nil {
		return errors.Join(explainPolicy(err), pool.Close())
	}
	s.pool = pool
	return nil
}

// close ends the process, if there is one.
func (s *side) close() error {
	if s.pool == nil {
		return nil
	}
	pool := s.pool
	s.pool = nil
	return pool.Close()
}

// A run that got no processor says nothing about the script, so it is repeated.
const (
	starvedRuns = 6 // of one round, at most
	moreTime    = 2 // how many times as long each repetition may take
)

// run runs the script once. A run that is starved is repeated with more time, in a new
// process if it does not end; once it has had its timeout of the processor, it counts as
// timed out.
func (s *side) run(ctx context.Context) (compare.Run, error) {
	var o plugins.Outcome
	timeout := s.d.Timeout
	for repeats := range starvedRuns {
		o = s.once(ctx, timeout)
		if repeats > 0 && errors.Is(o.Err, plugins.ErrUnended) && ctx.Err() == nil {
			if err := errors.Join(s.close(), s.start(ctx)); err != nil {
				return compare.Run{}, err
			}
			o = s.once(ctx, timeout)
		}
		if repeats > 0 && o.Err != nil && o.CPU >= s.d.Timeout {
			o.Err = fmt.Errorf("%w after %v", plugins.ErrTimeout, s.d.Timeout)
		}
		if !errors.Is(o.Err, plugins.ErrStarved) || ctx.Err() != nil {
			break
		}
		timeout *= moreTime
	}
	return compare.Run{Samples: o.Samples, Err: o.Err, Wall: o.Duration, CPU: o.CPU}, nil
}

func (s *side) once(ctx context.Context, timeout time.Duration) (o plugins.Outcome) {
	s.pool.Run(ctx, []plugins.Job{{Name: s.d.Name, Timeout: timeout}}, func(outcome plugins.Outcome) { o = outcome })
	return o
}

// inputs are copies of the folders that --input names, each laid out as the root of a
// machine. Scripts read them in place of this machine, so their user may read the copies.
type inputs struct {
	dir  string // with a folder for each round, and the link "now" to the current one
	n    int    // how many there are
	used int
}

// hostFolders are the folders of a machine that gopsutil can be told to read elsewhere,
// each by the variable HOST_ and its name.
func hostFolders() []string { return []string{"proc", "sys", "etc", "var", "run", "dev"} }

// newInputs copies the folders, which rounds use in turn, and makes the scripts of this
// process read the copies. It sets environment variables, which children inherit.
func newInputs(temp string, dirs []string) (*inputs, error) {
	in := &inputs{dir: filepath.Join(temp, "inputs"), n: len(dirs)}
	var first []string
	for i, dir := range dirs {
		found := foldersIn(dir)
		switch abs, err := filepath.Abs(dir); {
		case err != nil:
			return nil, fmt.Errorf("cannot find --input %q: %w", dir, err)
		case abs == "/":
			return nil, errors.New("--input / is this machine itself; leave it out")
		case len(found) == 0:
			return nil, fmt.Errorf("--input %q has none of the folders %s: it must be laid out as the root of a machine", dir, strings.Join(hostFolders(), ", "))
		case first == nil:
			first = found
		case !slices.Equal(first, found):
			return nil, fmt.Errorf("--input %q has the folders %s, but %q has %s: give all the same",
				dirs[0], strings.Join(first, ", "), dir, strings.Join(found, ", "))
		}
		for _, name := range found {
			if err := os.CopyFS(filepath.Join(in.dir, strconv.Itoa(i), name), os.DirFS(filepath.Join(dir, name))); err != nil {
				return nil, fmt.Errorf("cannot read --input %q: %w", dir, err)
			}
		}
	}
	if len(dirs) == 0 {
		return in, nil
	}
	return in, errors.Join(openToAll(temp), in.point(first))
}

// point sets the variables that tell gopsutil where the folders are.
func (in *inputs) point(names []string) error {
	// The sandbox of scripts lets them read the folders that these variables name.
	faults := []error{os.Setenv("HOST_INPUTS", in.dir)}
	for _, name := range names {
		faults = append(faults, os.Setenv("HOST_"+strings.ToUpper(name), filepath.Join(in.dir, "now", name)))
	}
	return errors.Join(faults...)
}

// openToAll lets every user read a folder, because scripts may run as another user.
func openToAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.Chmod(path, 0o755)
		case entry.Type().IsRegular():
			return os.Chmod(path, 0o644)
		}
		return nil
	})
}

// foldersIn returns the folders of a machine that exist.
func foldersIn(dir string) []string {
	var found []string
	for _, name := range hostFolders() {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.IsDir() {
			found = append(found, name)
		}
	}
	return found
}

// next switches scripts to the folder of the next round.
func (in *inputs) next() error {
	if in.used >= in.n {
		return nil // the last one stays
	}
	fresh, now := filepath.Join(in.dir, "new"), filepath.Join(in.dir, "now")
	err := os.Symlink(strconv.Itoa(in.used), fresh)
	if err == nil {
		err = os.Rename(fresh, now) // atomically, even if somebody still reads the old one
	}
	if err != nil {
		return fmt.Errorf("cannot switch to the next --input: %w", err)
	}
	in.used++
	return nil
}
