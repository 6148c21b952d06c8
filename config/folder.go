package config

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// FolderFile is the name of the file that says what a folder of inspectors is
// for.
const FolderFile = "catalog.yaml"

// FolderInspector is one inspector of a folder that is pushed as a whole.
type FolderInspector struct {
	// File is the Go file, relative to the folder.
	File string `yaml:"file"`
	// To is the label selector of the hosts that it is for. Default: every host.
	To string `yaml:"to"`
	// Interval is the time between runs, 100ms to 24h. Default: the script's
	// own //vedette:interval, else 10s.
	Interval time.Duration `yaml:"interval"`
	// Timeout is the longest that one run may take. Default: the script's own
	// //vedette:timeout, else 80 % of Interval.
	Timeout time.Duration `yaml:"timeout"`
}

// Folder is a folder of inspectors.
type Folder struct {
	// Inspectors are those of the folder by their names.
	Inspectors map[string]FolderInspector `yaml:"inspectors"`
	// Left are the Go files of the folder that its FolderFile does not name.
	Left []string `yaml:"-"`
}

// folderFileToo is the other name that a FolderFile may have.
const folderFileToo = "catalog.yml"

// LoadFolder finds the inspectors of a folder. If it has a FolderFile, or one
// called catalog.yml, they are those that the file names. Otherwise every Go file
// is an inspector for every host, except for tests and for files that the go
// command ignores too: those whose names begin with "_" or ".". Files of the
// result are relative to the current directory. Errors are Faults about the
// FolderFile, or Diagnostics about directives; if something cannot be read, the
// error wraps an *fs.PathError.
func LoadFolder(dir string) (*Folder, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &unreadable{"there is no folder " + quote(dir), err}
	} else if err != nil {
		return nil, fileError(dir, err)
	}
	files := goFiles(dir, entries)
	path, err := folderFile(dir, entries)
	if err != nil {
		return nil, err
	}
	if path == "" {
		return plainFolder(files)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	return namedFolder(dir, path, text, files)
}

// goFiles returns the Go files of a folder that are scripts.
func goFiles(dir string, entries []fs.DirEntry) []string {
	var files []string
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && name[0] != '_' && name[0] != '.' {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files
}

// folderFile finds the file that names the inspectors of a folder, or returns "".
// A file that almost has the name is a fault: it would be ignored, and every
// script would go to every host.
func folderFile(dir string, entries []fs.DirEntry) (string, error) {
	found := ""
	for _, e := range entries {
		name := e.Name()
		path := filepath.Join(dir, name)
		lower := strings.ToLower(name)
		switch ext := filepath.Ext(lower); {
		case name == FolderFile || name == folderFileToo:
			if found != "" {
				return "", folderFault(path, "the folder has %s too; keep one of them", filepath.Base(found))
			}
			found = path
		case e.IsDir() || strings.TrimSuffix(lower, ext) != strings.TrimSuffix(FolderFile, ".yaml"):
		case ext == ".yaml" || ext == ".yml" || ext == ".json" || ext == ".toml" || ext == "":
			return "", folderFault(path, "nothing reads a file of this name; call it %s", FolderFile)
		}
	}
	return found, nil
}

func folderFault(path, format string, args ...any) error {
	l := &loader{source: newSource()}
	l.file = path
	l.fault(l.fileOrigin(), format, args...)
	return l.err()
}

// plainFolder makes each file an inspector for every host.
func plainFolder(files []string) (*Folder, error) {
	f := &Folder{Inspectors: make(map[string]FolderInspector)}
	var faults []error
	for _, file := range files {
		d, err := FileDefinition(file)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if first, twice := f.Inspectors[d.Name]; twice {
			faults = append(faults, inspectors.Diagnostic{
				File: file, Message: "the name " + d.Name + " is that of " + first.File + " too",
			})
			continue
		}
		f.Inspectors[d.Name] = FolderInspector{File: file}
	}
	return f, errors.Join(faults...)
}

// namedFolder reads the file that names the inspectors.
func namedFolder(dir, path string, text []byte, files []string) (*Folder, error) {
	l := &loader{source: newSource()}
	l.file = path
	f := &Folder{}
	decode(l.source, text, f)
	used := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(f.Inspectors)) {
		in := f.Inspectors[name]
		l.folderInspector(dir, name, &in)
		f.Inspectors[name] = in
		used[filepath.Clean(in.File)] = true
	}
	for _, file := range files {
		if !used[filepath.Clean(file)] {
			f.Left = append(f.Left, file)
		}
	}
	return f, l.err()
}

// folderInspector checks one inspector of a folder and makes its file relative
// to the current directory.
func (l *loader) folderInspector(dir, name string, in *FolderInspector) {
	at := l.entry("inspectors", name)
	if err := inspectors.ValidateKey(name); err != nil {
		l.fault(l.atKey(at), "%s: %v", at, err)
	}
	if in.Interval != 0 && (in.Interval < inspectors.MinInterval || in.Interval > inspectors.MaxInterval) {
		l.fault(l.at(l.child(at, "interval")), "%s.interval is %s; it must be between %s and %s", at, short(in.Interval),
			short(inspectors.MinInterval), short(inspectors.MaxInterval))
	}
	if in.Timeout < 0 || in.Interval != 0 && in.Timeout > in.Interval {
		l.fault(l.at(l.child(at, "timeout")), "%s.timeout is %s; it must be above 0 and at most the interval", at, short(in.Timeout))
	}
	if in.File == "" {
		if !l.broken[at] {
			l.fault(l.atKey(at), "%s has no file; write file: %s.go", at, filepath.Base(name))
		}
		return
	}
	p := l.child(at, "file")
	if filepath.IsAbs(in.File) || !filepath.IsLocal(in.File) {
		l.fault(l.at(p), "%s: %s is not inside the folder", p, quote(in.File))
		return
	}
	in.File = filepath.Join(dir, in.File)
	if info, err := os.Stat(in.File); err != nil {
		l.fault(l.at(p), "%s: %v", p, fileError(in.File, err))
	} else if !info.Mode().IsRegular() {
		l.fault(l.at(p), "%s: %s is not a file", p, quote(in.File))
	}
}
