package config

import (
	"os"
	"path/filepath"
	"reflect"
)

// Private lists the files and folders that belong to master and agent alone, as
// absolute paths: the configuration, where tokens, keys and secrets are, and the
// data. No script may read them. They need not all exist. A setting that names
// such a file has the tag private.
func (c *Config) Private() []string {
	paths := privateIn(reflect.ValueOf(*c), []string{dotEnvName})
	if c.src != nil {
		paths = append(paths, c.src.file)
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); filepath.IsAbs(dir) {
		paths = append(paths, dir)
	}
	var list []string
	for _, path := range paths {
		if path == "" {
			continue
		}
		if abs, err := filepath.Abs(path); err == nil {
			list = append(list, abs)
		}
	}
	return list
}

// privateIn adds the paths of the settings with the tag private.
func privateIn(v reflect.Value, paths []string) []string {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			switch {
			case !field.IsExported():
			case field.Tag.Get("private") != "":
				paths = append(paths, v.Field(i).String())
			default:
				paths = privateIn(v.Field(i), paths)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			paths = privateIn(v.Index(i), paths)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			paths = privateIn(v.MapIndex(key), paths)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			paths = privateIn(v.Elem(), paths)
		}
	}
	return paths
}
