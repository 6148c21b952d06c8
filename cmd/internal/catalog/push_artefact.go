package catalog

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

// artefact is one program of a plugin.
type artefact struct {
	path     string
	platform string // such as linux/amd64
	sum      string // hex SHA-256
	size     int64
}

// readArtefacts parses BIN[,GOOS/GOARCH=BIN…]. A program without a platform gets that of
// its ELF header.
func readArtefacts(text string) ([]artefact, error) {
	var all []artefact
	seen := make(map[string]string)
	for word := range strings.SplitSeq(text, ",") {
		a := artefact{path: word}
		if platform, path, ok := strings.Cut(word, "="); ok {
			a.platform, a.path = platform, path
			if goos, arch, ok := strings.Cut(platform, "/"); !ok || goos == "" || arch == "" {
				return nil, cli.Usagef("--plugin: %q is no platform; write it as linux/amd64=BIN", platform)
			}
		}
		if err := a.read(); err != nil {
			return nil, err
		}
		if first, twice := seen[a.platform]; twice {
			return nil, cli.Usagef("--plugin: %q and %q are both for %s", first, a.path, a.platform)
		}
		seen[a.platform] = a.path
		all = append(all, a)
	}
	return all, nil
}

// read sets the size and checksum, and the platform if it is not given.
func (a *artefact) read() error {
	f, err := os.Open(a.path)
	if err != nil {
		return fmt.Errorf("cannot read the plugin: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if a.size, err = io.Copy(sum, f); err != nil {
		return fmt.Errorf("cannot read the plugin: %w", err)
	}
	a.sum = hex.EncodeToString(sum.Sum(nil))
	if a.platform == "" {
		a.platform, err = elfPlatform(f)
	}
	if err != nil {
		return fmt.Errorf("cannot tell for which platform %q is: %w; write it as linux/amd64=%s", a.path, err, a.path)
	}
	return nil
}

// elfPlatform returns the platform of an ELF file, such as linux/amd64.
func elfPlatform(r io.ReaderAt) (string, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return "", errors.New("it is no ELF program")
	}
	goos := "linux"
	if f.OSABI == elf.ELFOSABI_FREEBSD {
		goos = "freebsd"
	}
	arch := map[elf.Machine]string{
		elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386", elf.EM_ARM: "arm",
		elf.EM_RISCV: "riscv64", elf.EM_S390: "s390x", elf.EM_LOONGARCH: "loong64",
	}[f.Machine]
	if f.Machine == elf.EM_PPC64 && f.Data == elf.ELFDATA2LSB {
		arch = "ppc64le"
	}
	if arch == "" {
		return "", fmt.Errorf("its machine is %v", f.Machine)
	}
	return goos + "/" + arch, nil
}

// upload sends the master the programs that it does not have. It must be called after the
// settings were read.
func (c *client) upload(ctx context.Context, errs io.Writer, artefacts []artefact) error {
	if len(artefacts) == 0 {
		return nil
	}
	for _, a := range artefacts {
		address, err := c.HTTPAddress(wire.ArtefactPath + a.sum)
		if err != nil {
			return err
		}
		if status, _, err := c.send(ctx, http.MethodHead, address, nil); err != nil {
			return err
		} else if status == http.StatusOK {
			continue
		}
		cli.Errln(errs, "uploading %s for %s, %s", a.path, a.platform, cli.Bytes(float64(a.size)))
		if err := c.put(ctx, address, a); err != nil {
			return err
		}
	}
	return nil
}

// put uploads one program.
func (c *client) put(ctx context.Context, address string, a artefact) error {
	f, err := os.Open(a.path)
	if err != nil {
		return fmt.Errorf("cannot read the plugin: %w", err)
	}
	defer f.Close()
	status, body, err := c.send(ctx, http.MethodPut, address, &upload{f, a.size})
	switch {
	case err != nil:
		return err
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return c.Refused(body)
	case status/100 != 2:
		return cli.Exit(cli.ExitAnswer, fmt.Errorf("the master did not take %q: %s (HTTP %d)", a.path, body, status))
	}
	return nil
}

// upload is a body with its size.
type upload struct {
	io.Reader
	size int64
}

// send makes one request and returns its status and the first words of its
// answer.
func (c *client) send(ctx context.Context, method, address string, body *upload) (int, string, error) {
	var reader io.Reader
	if body != nil {
		reader = body.Reader
	}
	req, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return 0, "", err
	}
	if body != nil {
		req.ContentLength = body.size
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 500))
	return res.StatusCode, strings.TrimSpace(string(text)), nil
}
