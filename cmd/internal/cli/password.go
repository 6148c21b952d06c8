package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// maxPasswordFile bounds the size of a password file.
const maxPasswordFile = 64 << 10

// ReadPassword returns a password from a file, from standard input for "-", or typed at a
// terminal, which does not show it. A password is never an argument, because other users of
// the machine can see arguments. again asks for it twice.
func ReadPassword(cmd *cobra.Command, flag, file, prompt string, again bool) (string, error) {
	in, isFile := cmd.InOrStdin().(*os.File)
	if file == "" && (!isFile || !term.IsTerminal(int(in.Fd()))) {
		return "", Usagef("there is no terminal to ask for a password; give it with --%s FILE, where - is standard input", flag)
	}
	if file != "" {
		return passwordOf(cmd, file)
	}
	typed, err := ask(cmd, in, prompt)
	if err != nil || !again {
		return typed, err
	}
	second, err := ask(cmd, in, "The same again: ")
	if err == nil && second != typed {
		err = errors.New("the two passwords differ; nothing has changed")
	}
	return typed, err
}

func ask(cmd *cobra.Command, in *os.File, prompt string) (string, error) {
	fmt.Fprint(cmd.ErrOrStderr(), prompt)
	typed, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return "", fmt.Errorf("cannot read the password: %w", err)
	}
	return string(typed), nil
}

// passwordOf reads the first line of a file.
func passwordOf(cmd *cobra.Command, file string) (string, error) {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("cannot read the password: %w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxPasswordFile))
	if err != nil {
		return "", fmt.Errorf("cannot read the password from %q: %w", file, err)
	}
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	if len(text) == 0 {
		return "", fmt.Errorf("cannot read the password from %q: it is empty", file)
	}
	if bytes.ContainsRune(text, '\n') {
		return "", fmt.Errorf("cannot read the password from %q: it has more than one line", file)
	}
	return string(text), nil
}
