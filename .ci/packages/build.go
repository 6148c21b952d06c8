package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

const versionVariable = "github.com/vedettehq/vedette/cmd/internal/cli.version"

func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot ask git %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// pluginOf returns the folder of a plugin, which is a module, or "" for another program.
func pluginOf(program string) string {
	return map[string]string{"vedette-sql": "plugins/sql", "vedette-snmp": "plugins/snmp"}[program]
}

// build builds a program as it is released, unless it has been built: static, without
// the paths of this machine and without what git says of the folder.
func (r *release) build(ctx context.Context, program, arch, to string) error {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	what, dir := "./cmd/"+program, r.root
	if plugin := pluginOf(program); plugin != "" {
		what, dir = ".", filepath.Join(r.root, plugin)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X "+versionVariable+"="+r.version.describe, "-o", to, what)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=", "GOWORK=off", "GOAMD64=v1", "GOARM64=v8.0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build it: %w\n%s", err, out)
	}
	return nil
}

// documents are files that are made by the programs themselves: manual pages and
// completions, by their place on a host.
type documents map[string]map[string]string

var shells = map[string]string{
	"bash": "/usr/share/bash-completion/completions/%s",
	"zsh":  "/usr/share/zsh/site-functions/_%s",
	"fish": "/usr/share/fish/vendor_completions.d/%s.fish",
}

// documents makes them for every program but plugins, with programs of this machine.
func (r *release) documents(ctx context.Context, work string) (documents, error) {
	docs := make(documents)
	for _, program := range r.programs {
		if pluginOf(program) != "" {
			continue // it has no commands
		}
		docs[program] = make(map[string]string)
		binary := filepath.Join(work, runtime.GOARCH, program)
		if err := r.build(ctx, program, runtime.GOARCH, binary); err != nil {
			return nil, err
		}
		man := filepath.Join(work, "man", program)
		if out, err := exec.CommandContext(ctx, binary, "man", man).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("cannot write the manual of %s: %w\n%s", program, err, out)
		}
		pages, err := filepath.Glob(filepath.Join(man, "*.1"))
		if err != nil {
			return nil, err
		}
		for _, page := range pages {
			if docs[program]["/usr/share/man/man1/"+filepath.Base(page)+".gz"], err = zipped(page); err != nil {
				return nil, err
			}
		}
		for shell, place := range shells {
			script, err := exec.CommandContext(ctx, binary, "completion", shell).Output()
			if err != nil {
				return nil, fmt.Errorf("cannot write the completion of %s for %s: %w", program, shell, err)
			}
			file := filepath.Join(work, program+"."+shell)
			if err := os.WriteFile(file, script, 0o644); err != nil {
				return nil, err
			}
			docs[program][fmt.Sprintf(place, program)] = file
		}
	}
	return docs, nil
}

// zipped compresses a file, and returns the name of the new one.
func zipped(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression) // with no name and no time
	if err != nil {
		return "", err
	}
	if _, err := w.Write(text); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return file + ".gz", os.WriteFile(file+".gz", packed.Bytes(), 0o644)
}

// writeSums writes the checksums of the files in a folder, as sha256sum does.
func writeSums(dir string, names []string) (string, error) {
	slices.Sort(names)
	var text strings.Builder
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(content)
		fmt.Fprintf(&text, "%s  %s\n", hex.EncodeToString(sum[:]), name)
	}
	const file = "SHA256SUMS"
	return file, os.WriteFile(filepath.Join(dir, file), []byte(text.String()), 0o644)
}
