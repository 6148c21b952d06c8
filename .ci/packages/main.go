// Command packages makes what is released: packages for Debian, Red Hat and Alpine
// with the programs and the plugins, a bill of materials for each, images of containers,
// and the checksums of all. The same tree and the same version of Go give the same bytes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := parse(os.Args[1:])
	if err == nil {
		err = r.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// release is what one run makes.
type release struct {
	root     string // of the repository
	out      string // the folder to write into
	version  version
	programs []string
	arches   []string
	formats  []string
	images   bool
	when     time.Time // of every file
}

func parse(args []string) (*release, error) {
	flags := flag.NewFlagSet("packages", flag.ContinueOnError)
	root := flags.String("root", "../..", "the folder of the repository")
	out := flags.String("out", "../../bin/packages", "write into this folder")
	describe := flags.String("version", "", "the version, as git describe has it (default: ask git)")
	programs := flags.String("programs", "vedette,vedette-agent,vedette-sql,vedette-snmp", "which programs to package")
	arches := flags.String("arch", "amd64,arm64", "for which processors")
	formats := flags.String("formats", "deb,rpm,apk", "in which formats")
	images := flags.Bool("images", true, "make images of containers too")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	r := &release{programs: list(*programs), arches: list(*arches), formats: list(*formats), images: *images}
	for from, to := range map[*string]*string{root: &r.root, out: &r.out} {
		abs, err := filepath.Abs(*from)
		if err != nil {
			return nil, err
		}
		*to = abs
	}
	var err error
	if r.when, err = r.time(); err != nil {
		return nil, err
	}
	if *describe == "" {
		if *describe, err = git(r.root, "describe", "--tags", "--always", "--dirty"); err != nil {
			return nil, err
		}
	}
	r.version = version{describe: *describe, when: r.when}
	return r, nil
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' })
}

// time is that of the commit, unless $SOURCE_DATE_EPOCH says otherwise.
func (r *release) time() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		var err error
		if text, err = git(r.root, "log", "-1", "--format=%ct"); err != nil {
			return time.Time{}, err
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, fmt.Errorf("cannot read the time %q: it has to be seconds since 1970", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// run makes all of it, one architecture after the other.
func (r *release) run(ctx context.Context) error {
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "vedette-packages-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	docs, err := r.documents(ctx, work)
	if err != nil {
		return err
	}
	var made []string
	for _, arch := range r.arches {
		for _, program := range r.programs {
			files, err := r.one(ctx, work, program, arch, docs)
			if err != nil {
				return fmt.Errorf("cannot package %s for %s: %w", program, arch, err)
			}
			made = append(made, files...)
		}
	}
	sums, err := writeSums(r.out, made)
	if err != nil {
		return err
	}
	for _, name := range append(made, sums) {
		fmt.Println(filepath.Join(r.out, name))
	}
	return nil
}

// one makes all that there is of one program for one architecture.
func (r *release) one(ctx context.Context, work, program, arch string, docs documents) (made []string, err error) {
	binary := filepath.Join(work, arch, program)
	if err := r.build(ctx, program, arch, binary); err != nil {
		return nil, err
	}
	bom, err := r.billOfMaterials(program, arch, binary)
	if err != nil {
		return nil, err
	}
	made = append(made, bom)
	for _, format := range r.formats {
		name, err := r.pack(program, arch, format, binary, docs)
		if err != nil {
			return nil, fmt.Errorf("in the format %s: %w", format, err)
		}
		made = append(made, name)
	}
	if r.images && pluginOf(program) == "" { // a plugin runs beside an agent
		name, err := r.image(program, arch, binary)
		if err != nil {
			return nil, fmt.Errorf("as an image: %w", err)
		}
		made = append(made, name)
	}
	return made, nil
}
