package config

import "fmt"

// source remembers the places of the values of a configuration, for its faults and
// for people who ask. Values are known by their path: master.listen,
// master.tokens[0].role, inspectors[load/average-1].interval.
type source struct {
	folds   bool     // text may be folded: there is no code in the file
	file    string   // the configuration file as the user named it, or empty
	lines   []string // of the file
	origins map[string]Origin
	// keys are the places of the names of values in the file; origins are those of
	// the values.
	keys    map[string]Origin
	parents map[string]string // the path around a path
	broken  map[string]bool   // collections that contain a fault
	faults  Faults
	omitted int // faults beyond maxFaults
}

// maxFaults bounds the faults that are reported at once.
const maxFaults = 100

func newSource() *source {
	return &source{
		origins: make(map[string]Origin),
		keys:    make(map[string]Origin),
		parents: make(map[string]string),
		broken:  make(map[string]bool),
	}
}

// child returns the path of a field below path.
func (s *source) child(path, field string) string {
	below := field
	if path != "" {
		below = path + "." + field
	}
	s.parents[below] = path
	return below
}

// entry returns the path of an entry of the map or list at path.
func (s *source) entry(path string, key any) string {
	below := fmt.Sprintf("%s[%v]", path, key)
	s.parents[below] = path
	return below
}

// at is the origin for a fault in the value of a path: its own, or that of the
// nearest value around it.
func (s *source) at(path string) Origin {
	for p := path; p != ""; p = s.parents[p] {
		if o, ok := s.origins[p]; ok {
			return o
		}
		if o, ok := s.keys[p]; ok {
			return o
		}
	}
	return s.fileOrigin()
}

// atKey is the origin for a fault in the name of a value.
func (s *source) atKey(path string) Origin {
	if o, ok := s.keys[path]; ok {
		return o
	}
	return s.at(path)
}

// fileOrigin is for faults without a particular place.
func (s *source) fileOrigin() Origin {
	if s.file == "" {
		return Origin{}
	}
	return Origin{kind: fromFile, name: s.file}
}

// fault adds a fault at a place.
func (s *source) fault(o Origin, format string, args ...any) {
	if len(s.faults) >= maxFaults {
		s.omitted++
		return
	}
	f := Fault{Origin: o, Message: fmt.Sprintf(format, args...)}
	if o.kind == fromFile && o.name == s.file && 0 < o.line && o.line <= len(s.lines) {
		f.Text = s.lines[o.line-1]
	}
	s.faults = append(s.faults, f)
}

// err returns the faults, or nil if there are none.
func (s *source) err() error {
	faults := s.faults
	if s.omitted > 0 {
		last := Fault{Origin: Origin{kind: fromNowhere}, Message: fmt.Sprintf("and %d more faults", s.omitted)}
		faults = append(faults[:len(faults):len(faults)], last)
	}
	return faults.Err()
}
