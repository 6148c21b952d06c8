package agent

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/plugins"
)

var _ schedule.Runner = (*plugins.Pool)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
