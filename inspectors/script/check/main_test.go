package check_test

import (
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/vedettehq/vedette/inspectors/script/check"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(interpreterEnv) != "" {
		if err := interpretJobs(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	switch os.Getenv(checkerEnv) {
	case "":
	case "rss":
		before := residentMiB()
		source, err := io.ReadAll(os.Stdin)
		if err != nil {
			panic(err)
		}
		check.Check("t.go", string(source))
		fmt.Println(before, residentMiB())
		os.Exit(0)
	default:
		checkInput()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}
