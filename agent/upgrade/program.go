package upgrade

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// tellWithin is how long a program may take to tell its version.
	tellWithin = 20 * time.Second
	// busyWait is how long to wait for a program that is open for writing.
	busyWait = 50 * time.Millisecond
	// saidMost is how much of its other output is shown.
	saidMost = 300
)

// sumOf is the hex SHA-256 of a file.
func sumOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("cannot read the program: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("cannot read the program %q: %w", file, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// stage copies a program with the given checksum. The copy is on the disk when it returns.
func stage(from, to, sum string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("cannot read the new program: %w", err)
	}
	defer in.Close()
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("cannot remove what is left of an upgrade: %w", err)
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return fmt.Errorf("cannot copy the new program: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(to)
		}
	}()
	got := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, got), in)
	if err == nil && hex.EncodeToString(got.Sum(nil)) != sum {
		err = fmt.Errorf("its SHA-256 is %x", got.Sum(nil))
	}
	if err == nil {
		err = errors.Join(out.Chmod(0o755), out.Sync())
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("cannot copy the new program: %w", err)
	}
	return nil
}

// versionOf asks a program for its version. It fails if the program is not an agent for
// this machine that speaks our protocol.
func versionOf(ctx context.Context, program string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	var said, complained bytes.Buffer
	run := func() error {
		cmd := exec.CommandContext(ctx, program, "version", "--json")
		cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &said, &complained, time.Second
		return cmd.Run()
	}
	err := run()
	for errors.Is(err, unix.ETXTBSY) && ctx.Err() == nil {
		// A child that the agent started while the program was written has the file open
		// for writing until it executes its own program.
		select {
		case <-ctx.Done():
		case <-time.After(busyWait):
		}
		err = run()
	}
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("it does not tell its version within %v", tellWithin)
		}
		if text := strings.TrimSpace(complained.String()); text != "" {
			err = fmt.Errorf("%w: %.*s", err, saidMost, strings.ToValidUTF8(text, "?"))
		}
		return "", err
	}
	var v struct {
		Version  string `json:"version"`
		Protocol int    `json:"protocol"`
		Platform string `json:"platform"`
	}
	switch platform := runtime.GOOS + "/" + runtime.GOARCH; {
	case json.Unmarshal(said.Bytes(), &v) != nil:
		return "", fmt.Errorf("what it tells of its version is not JSON: %.*q", saidMost, said.String())
	case v.Platform != platform:
		return "", fmt.Errorf("it is for %q, and this machine is %s", v.Platform, platform)
	case v.Protocol != wire.Version:
		return "", fmt.Errorf("it speaks version %d of the protocol, and this agent's master %d", v.Protocol, wire.Version)
	}
	return v.Version, nil
}

// owners are the package managers, and the commands that ask them for the owner of a file.
// They succeed if there is one.
var owners = [][]string{{"dpkg-query", "--search"}, {"rpm", "--query", "--file"}, {"apk", "info", "--who-owns"}, {"pacman", "-Qo"}}

// ownerOf says to which package a file belongs, or "".
func ownerOf(file string) string {
	paths := []string{file}
	if short, ok := strings.CutPrefix(file, "/usr"); ok { // the folder may have moved since the package was made
		paths = append(paths, short)
	}
	for _, owner := range owners {
		if _, err := exec.LookPath(owner[0]); err != nil {
			continue
		}
		for _, path := range paths {
			ctx, cancel := context.WithTimeout(context.Background(), tellWithin)
			err := exec.CommandContext(ctx, owner[0], append(owner[1:len(owner):len(owner)], path)...).Run()
			cancel()
			if err == nil {
				return "a package of " + owner[0]
			}
		}
	}
	return ""
}

// replace puts the new program in the place of the agent's, which stays beside it. At each
// moment there is a whole program.
func replace(program, staged string) error {
	old := program + ".old"
	if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot replace the program: %w", err)
	}
	if err := os.Link(program, old); err != nil {
		return fmt.Errorf("cannot store the old program: %w", err)
	}
	if err := os.Rename(staged, program); err != nil {
		return fmt.Errorf("cannot replace the program: %w", err)
	}
	dir, err := os.Open(filepath.Dir(program))
	if err != nil {
		return fmt.Errorf("cannot replace the program: %w", err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("cannot replace the program: %w", err)
	}
	return nil
}
