// Package secretfile reads the files that plugins keep passwords in.
package secretfile

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Max is how many bytes such a file may have.
const Max = 16 << 10

// Read returns the text of a file without the space around it. It refuses a file that
// everybody on the host may use. Its errors have the path and nothing of the text.
func Read(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%q is no regular file", path)
	case info.Mode().Perm()&0o007 != 0:
		return "", fmt.Errorf("everybody on this host may use %q, which has a password: chmod o= %s", path, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, Max+1))
	if err != nil {
		return "", err
	}
	value := strings.TrimSpace(string(text))
	if value == "" || len(text) > Max {
		return "", fmt.Errorf("%q has %d bytes; 1 to %d are allowed", path, len(text), Max)
	}
	return value, nil
}

// ReadEnv returns the value of an environment variable without the space around it. Its
// errors say what else to use.
func ReadEnv(name, instead string) (string, error) {
	value := strings.TrimSpace(os.Getenv(name))
	if value == "" {
		return "", fmt.Errorf("the variable %s is not set, or is not among those that the agent hands to plugins; use %s", name, instead)
	}
	return value, nil
}
