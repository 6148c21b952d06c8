package script

import (
	"context"
	"crypto/tls"
	"reflect"

	"github.com/shirou/gopsutil/v3/disk"
	gonet "github.com/shirou/gopsutil/v3/net"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/internal/files"
)

// reading returns the script's replacement for a library function that reads files by name,
// or the zero Value.
func reading(r *files.Reader, path, name string) reflect.Value {
	switch path {
	case "os":
		return osReading(r, name)
	case "path/filepath":
		switch name {
		case "Glob":
			return reflect.ValueOf(r.Glob)
		case "Walk":
			return reflect.ValueOf(r.Walk)
		case "WalkDir":
			return reflect.ValueOf(r.WalkDir)
		case "EvalSymlinks":
			return reflect.ValueOf(r.EvalSymlinks)
		}
	case "crypto/tls":
		if name == "LoadX509KeyPair" {
			return reflect.ValueOf(func(cert, key string) (tls.Certificate, error) { return loadKeyPair(r, cert, key) })
		}
	case "github.com/shirou/gopsutil/v3/disk":
		switch name {
		case "Usage":
			return reflect.ValueOf(func(path string) (*disk.UsageStat, error) { return usage(context.Background(), path) })
		case "UsageWithContext":
			return reflect.ValueOf(usage)
		}
	case "github.com/shirou/gopsutil/v3/net":
		return gopsutilReading(r, name)
	case "github.com/vedettehq/vedette/inspectors":
		if name == "NewTail" {
			return reflect.ValueOf(func(path string, options inspectors.TailOptions) *inspectors.Tail {
				return inspectors.TailWith(r.Open, path, options)
			})
		}
	}
	return reflect.Value{}
}

func osReading(r *files.Reader, name string) reflect.Value {
	switch name {
	case "Open":
		return reflect.ValueOf(r.Open)
	case "ReadFile":
		return reflect.ValueOf(r.ReadFile)
	case "ReadDir":
		return reflect.ValueOf(r.ReadDir)
	case "Stat":
		return reflect.ValueOf(r.Stat)
	case "Lstat":
		return reflect.ValueOf(r.Lstat)
	case "Readlink":
		return reflect.ValueOf(r.Readlink)
	case "IsPermission":
		return reflect.ValueOf(files.IsPermission)
	}
	return reflect.Value{}
}

func loadKeyPair(r *files.Reader, cert, key string) (tls.Certificate, error) {
	certText, err := r.ReadFile(cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyText, err := r.ReadFile(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certText, keyText)
}

// gopsutilReading covers the functions that read a file of the caller's choice and show its
// content in an error.
func gopsutilReading(r *files.Reader, name string) reflect.Value {
	byFile := func(ctx context.Context, each bool, file string) ([]gonet.IOCountersStat, error) {
		f, err := r.Open(file)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			return nil, err
		}
		real, err := r.EvalSymlinks(file)
		if err != nil {
			return nil, err
		}
		return gonet.IOCountersByFileWithContext(ctx, each, real)
	}
	switch name {
	case "IOCountersByFile":
		return reflect.ValueOf(func(each bool, file string) ([]gonet.IOCountersStat, error) {
			return byFile(context.Background(), each, file)
		})
	case "IOCountersByFileWithContext":
		return reflect.ValueOf(byFile)
	}
	return reflect.Value{}
}
