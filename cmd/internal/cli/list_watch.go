package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// watchEvery is how often --watch asks for the list.
const watchEvery = 2 * time.Second

// follow shows the list, and keeps it up to date.
func (l *List[T]) follow(ctx context.Context, cmd *cobra.Command, all []T, ask func() ([]T, error)) error {
	out := cmd.OutOrStdout()
	var show func(all []T, trouble string) error
	var keys <-chan byte
	if TerminalWidth(out) > 0 && l.ForPeople() {
		screen := NewScreen(out)
		heard, giveBack := Keys(ctx, cmd.InOrStdin())
		defer giveBack()
		keys = heard
		show = func(all []T, trouble string) error { return l.draw(screen, all, trouble, keys != nil) }
	} else {
		show = l.appender(out, cmd.ErrOrStderr())
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	trouble := ""
	for {
		if err := show(all, trouble); err != nil {
			return fmt.Errorf("cannot show the list: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case key := <-keys:
			if key == 'q' {
				return nil
			}
			l.press(key)
			continue
		case <-tick.C:
		}
		switch next, err := ask(); {
		case ctx.Err() != nil:
			return nil
		case err != nil && Status(err) != ExitUnreachable:
			return err
		case err != nil:
			trouble = fmt.Sprintf("%v; trying again", err)
		default:
			all, trouble = next, ""
		}
	}
}

// appender returns a function that shows the list if nothing can be redrawn: only the
// changes, or all of it. It prints an error only once.
func (l *List[T]) appender(out, errs io.Writer) func(all []T, trouble string) error {
	changes := listChanges[T]{list: l, out: out, errs: errs, seen: make(map[string]string)}
	told, begun := "", false
	return func(all []T, trouble string) error {
		if trouble != told && trouble != "" {
			Errln(errs, "%s", trouble)
		}
		told = trouble
		switch {
		case trouble != "":
			return nil
		case !l.Live:
			return changes.write(all, time.Now())
		case begun && l.ForPeople():
			fmt.Fprintln(out)
		}
		begun = true
		return l.Write(out, all, time.Now())
	}
}

// press handles a key: < and > sort by another column, r reverses the order.
func (l *List[T]) press(key byte) {
	name, down := strings.CutPrefix(l.sort, "-")
	var names []string
	at := -1
	for _, c := range l.Columns(time.Now()) {
		if l.shows(c) {
			if strings.EqualFold(c.Name, name) {
				at = len(names)
			}
			names = append(names, c.Name)
		}
	}
	switch key {
	case '<', ',':
		at--
	case '>', '.':
		at++
	case 'r':
		down = !down
		at = max(at, 0)
	default:
		return
	}
	name = names[(at+len(names))%len(names)]
	if l.sort = name; down {
		l.sort = "-" + name
	}
}

// draw replaces the list on the screen.
func (l *List[T]) draw(screen *Screen, all []T, trouble string, keys bool) error {
	now := time.Now()
	columns := l.Columns(now)
	l.order(columns, all)
	var text bytes.Buffer
	if err := l.writeTable(&text, columns, all, now, screen.Width()-1); err != nil {
		return err
	}
	lines := strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
	if trouble != "" {
		lines = append(lines, "", Printable(trouble))
	}
	foot := 0
	if keys {
		foot = 2
		by := ""
		if l.sort != "" {
			by = " (" + l.sort + ")"
		}
		lines = append(lines, "", "< > r sort"+by+", q ends")
	}
	return screen.ShowAbove(lines, foot)
}

// listChanges writes the changes of a list if nothing can be redrawn.
type listChanges[T any] struct {
	list      *List[T]
	out, errs io.Writer
	table     *Table
	seen      map[string]string // the last state of each thing, by its name
	begun     bool
}

// write writes the things that are new or have changed; at first, all of them.
func (c *listChanges[T]) write(all []T, now time.Time) error {
	columns := c.list.Columns(now)
	c.list.order(columns, all)
	var changed []T
	gone := make(map[string]bool)
	for name := range c.seen {
		gone[name] = true
	}
	for _, t := range all {
		name, is := c.list.Name(t), c.still(columns, t)
		delete(gone, name)
		if c.seen[name] != is {
			changed = append(changed, t)
		}
		c.seen[name] = is
	}
	for name := range gone {
		delete(c.seen, name)
		Errln(c.errs, "%s is not in the list any more", name)
	}
	first := !c.begun
	c.begun = true
	return c.append(columns, changed, now, first)
}

// still is a thing without its columns that change all the time.
func (c *listChanges[T]) still(columns []Column[T], t T) string {
	var cells []string
	for _, column := range columns {
		if !column.Moves {
			cells = append(cells, column.Cell(t))
		}
	}
	text, _ := json.Marshal(cells) // encoding strings cannot fail
	return string(text)
}

func (c *listChanges[T]) append(columns []Column[T], changed []T, now time.Time, first bool) error {
	l := c.list
	switch {
	case l.Format() == FormatCSV:
		return l.writeCSV(c.out, columns, changed, first)
	case !l.ForPeople() && len(changed) == 0:
		return nil
	case !l.ForPeople(), first && len(changed) == 0:
		return l.Write(c.out, changed, now)
	}
	if c.table == nil {
		c.table = &Table{Out: c.out}
		if len(changed) > 0 {
			c.table = l.fitted(c.out, columns, changed)
			if err := c.table.Row(l.headings(columns)...); err != nil {
				return err
			}
		}
	}
	for _, t := range changed {
		if err := c.table.Row(l.cells(columns, t)...); err != nil {
			return err
		}
	}
	return nil
}
