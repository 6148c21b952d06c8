package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/gallery"
	"github.com/vedettehq/vedette/internal/nearest"
)

// template is a template, as --json prints it.
type template struct {
	Name   string `json:"name"`
	About  string `json:"about"`
	Needs  string `json:"needs,omitempty"`
	Source string `json:"source"`
}

// initialise is one run of `vedette init`.
type initialise struct {
	list     cli.List[template]
	template string
	listing  bool
}

// NewInit makes the command `vedette init`.
func NewInit() *cobra.Command {
	n := &initialise{list: cli.List[template]{Columns: templateColumns, Name: func(t template) string { return t.Name }}}
	cmd := &cobra.Command{
		Use:   "init NAME",
		Short: "Write a probe, from a template",
		Long: `Write a probe into the new file NAME.go in this folder, for an inspector called NAME.
Without --template it is the smallest possible probe. --list shows the other
templates, each of which is useful as it is, or after you change the constants at its
top. docs/gallery.md says what they measure.`,
		Example: `  vedette init --list
  vedette init queue
  vedette init api-health --template http`,
		Args: func(cmd *cobra.Command, args []string) error {
			if n.listing {
				return cli.NoArgs(cmd, args)
			}
			return cli.OneArg("a NAME, or --list")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if n.listing {
				return n.show(cmd)
			}
			return n.write(cmd, args[0])
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().StringVar(&n.template, "template", gallery.Blank, "begin with this `TEMPLATE`")
	cmd.Flags().BoolVar(&n.listing, "list", false, "list the templates")
	n.list.Fixed(cmd, "with --list: print one JSON object a line, with the source")
	_ = cmd.RegisterFlagCompletionFunc("template", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return templateNames(), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func templateColumns(time.Time) []cli.Column[template] {
	return []cli.Column[template]{
		{Name: "template", Cell: func(t template) string { return t.Name }},
		{Name: "needs", Wide: true, Cell: func(t template) string { return cli.OrDash(t.Needs) }},
		{Name: "about", Cell: func(t template) string { return t.About }},
	}
}

func templateNames() []string {
	var names []string
	for _, t := range gallery.All() {
		names = append(names, t.Name)
	}
	return names
}

// show lists the templates.
func (n *initialise) show(cmd *cobra.Command) error {
	if err := n.list.Check(); err != nil {
		return err
	}
	var all []template
	for _, t := range gallery.All() {
		all = append(all, template(t))
	}
	return n.list.Write(cmd.OutOrStdout(), all, time.Now())
}

// write writes the probe.
func (n *initialise) write(cmd *cobra.Command, name string) error {
	if err := inspectors.ValidateKey(name); err != nil {
		return cli.Usagef("NAME: %v", err)
	}
	t, ok := gallery.Get(n.template)
	if !ok {
		names := templateNames()
		if near := nearest.Word(n.template, names); near != "" {
			return cli.Usagef("there is no template %q; did you mean %q?", n.template, near)
		}
		return cli.Usagef("there is no template %q; there are %s", n.template, strings.Join(names, ", "))
	}
	file := strings.ReplaceAll(name, "/", "-") + ".go"
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cannot write %q: it is there already; give another NAME, or remove it", file)
	} else if err != nil {
		return fmt.Errorf("cannot write the probe: %w", err)
	}
	_, err = f.WriteString(t.Rename(name))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("cannot write %q: %w", file, errors.Join(err, os.Remove(file)))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s.\n", file, t.About)
	if err == nil {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "Run it here: vedette inspector run %s%s\nTry it on hosts, then push it: vedette try %[1]s; vedette push %[1]s\n",
			file, allowances(t.Needs))
	}
	return err
}

// allowances are the flags that let a probe run programs here.
func allowances(needs string) string {
	text := ""
	for _, need := range strings.Fields(needs) {
		if program, ok := strings.CutPrefix(need, "exec:"); ok {
			text += " --allow-exec " + program
		}
	}
	return text
}
