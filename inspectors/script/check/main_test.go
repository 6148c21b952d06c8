package check_test

import (
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/vedettehq/vedette/inspectors/script/check"
	"github.com/vedettehq/vedette/inspectors/script/internal/truth"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	truth.Child()
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
