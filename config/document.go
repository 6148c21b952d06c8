package config

import "os"

// Document is a YAML file that is not a configuration. It is read as strictly as
// one: a field that is unknown, or given twice, is a fault at its place.
type Document struct{ src *source }

// ReadDocument reads a file into the struct that into points to, whose fields are
// named by their tags. The error has every fault.
func ReadDocument(file string, into any) (*Document, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fileError(file, err)
	}
	d := &Document{src: newSource()}
	d.src.file, d.src.folds = file, true
	decode(d.src, text, into)
	return d, d.Err()
}

// Fault adds a fault of the value at a path, such as tests[0].name.
func (d *Document) Fault(path, format string, args ...any) {
	d.src.fault(d.src.at(path), format, args...)
}

// Place names the file, the line and the column of the value at a path.
func (d *Document) Place(path string) string { return d.src.at(path).place() }

// Err returns the faults, or nil where there are none.
func (d *Document) Err() error { return d.src.err() }
