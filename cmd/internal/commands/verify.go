package commands

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/internal/signing"
)

const (
	// sumsName is the name of the file of checksums in a release.
	sumsName = "SHA256SUMS"
	// maxSumsBytes bounds the size of that file, and maxLineBytes that of a line in it.
	maxSumsBytes = 1 << 20
	maxLineBytes = 4 << 10
)

func newSign() *cobra.Command {
	var keyFile string
	cmd := &cobra.Command{
		Use:   "sign FILE",
		Short: "Sign a file of a release",
		Long: `Sign a file, such as the SHA256SUMS of "make packages" or the program of an agent,
with a private key of "vedette key", and write the signature into a file beside it that
ends in .sig. "vedette verify" checks that of SHA256SUMS, hosts that of their program.`,
		Example: "  vedette sign --sign-key release.pem bin/packages/SHA256SUMS\n  vedette sign --sign-key release.pem bin/vedette-agent",
		Args:    cli.OneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if keyFile == "" {
				return cli.Usagef("give the private key with --sign-key FILE; `vedette key` makes one")
			}
			key, err := remote.ReadSignKey(keyFile)
			if err != nil {
				return err
			}
			sum, err := sumOf(args[0])
			if err != nil {
				return fmt.Errorf("cannot sign %q: %w", args[0], pathless(err))
			}
			line := key.Public().ID() + " " + key.SignFileSum(sum) + "\n"
			if err := os.WriteFile(args[0]+".sig", []byte(line), 0o644); err != nil {
				return fmt.Errorf("cannot write the signature: %w", err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s.sig has the signature of %s, to be verified with --key %s\n", cli.Printable(args[0]), key.Public().ID(),
				key.Public())
			return err
		},
	}
	cmd.Flags().StringVar(&keyFile, "sign-key", "", "sign with the private key in `FILE`")
	return cmd
}

func newVerify() *cobra.Command {
	var text string
	cmd := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Check that files are those of a release, by its signature",
		Long: `Check files of a release, such as packages: whether their checksums are in the
SHA256SUMS beside them, and whether that is signed (SHA256SUMS.sig) by the key that
you name. Take the key from where you trust it, and not from where the files are.`,
		Example: "  vedette verify --key ed25519:… vedette_1.2.3-1_amd64.deb",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%s needs a FILE", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if text == "" {
				return cli.Usagef("give the public key of who made the release with --key ed25519:…")
			}
			key, err := signing.ParsePublic(text)
			if err != nil {
				return cli.Usagef("--key: %v", err)
			}
			var faults []error
			for _, file := range args {
				if err := verify(key, file); err != nil {
					faults = append(faults, err)
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: signed by %s\n", cli.Printable(file), key.ID())
			}
			return errors.Join(faults...)
		},
	}
	cmd.Flags().StringVar(&text, "key", "", "the public `KEY` of who made the release, as vedette key prints it")
	return cmd
}

// verify checks one file against the list beside it, and the list against the key.
func verify(key signing.PublicKey, file string) error {
	sums := filepath.Join(filepath.Dir(file), sumsName)
	content, err := readSums(sums)
	if err != nil {
		return fmt.Errorf("cannot verify %q: %w", file, err)
	}
	signatures, err := readSums(sums + ".sig")
	if err != nil {
		return fmt.Errorf("cannot verify %q: %w", file, err)
	}
	if err := signedBy(key, content, signatures); err != nil {
		return fmt.Errorf("%q must not be trusted: %q %w", file, sums, err)
	}
	want, err := listed(content, filepath.Base(file))
	if err != nil {
		return fmt.Errorf("%q must not be trusted: %w", file, err)
	}
	got, err := sumOf(file)
	if err != nil {
		return fmt.Errorf("cannot verify %q: %w", file, pathless(err))
	}
	if got != want {
		return fmt.Errorf("%q must not be trusted: its checksum is %s, and that of the release %s", file, got, want)
	}
	return nil
}

// sumOf returns the SHA-256 of a file in hex.
func sumOf(file string) (string, error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer in.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, in); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// signedBy reports whether the key has signed the file; there may be signatures by others.
func signedBy(key signing.PublicKey, content, signatures []byte) error {
	var others []string
	for line := range strings.Lines(string(signatures)) {
		id, signature, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case id != key.ID():
			others = append(others, fmt.Sprintf("%.16q", id))
		case key.VerifyFile(content, signature):
			return nil
		default:
			return fmt.Errorf("has been changed since %s signed it", key.ID())
		}
	}
	return fmt.Errorf("has no signature of %s, only of %s", key.ID(), strings.Join(others, ", "))
}

// listed returns the checksum of a name in the list.
func listed(sums []byte, name string) (string, error) {
	lines := bufio.NewScanner(bytes.NewReader(sums))
	lines.Buffer(nil, maxLineBytes)
	for lines.Scan() {
		sum, file, ok := strings.Cut(lines.Text(), "  ")
		if ok && file == name {
			return sum, nil
		}
	}
	return "", fmt.Errorf("%s does not list %q", sumsName, name)
}

// readSums reads a small file.
func readSums(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %q", path)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", path, pathless(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxSumsBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", path, pathless(err))
	}
	if len(content) > maxSumsBytes {
		return nil, fmt.Errorf("%q is longer than any list of checksums", path)
	}
	return content, nil
}

// pathless removes the path from an error, because the message around it already has it.
func pathless(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
