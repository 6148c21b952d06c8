package agent

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A fault that comes each second for an hour is told once a minute, with all that
// it was about.
func TestSparse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out syncBuffer
		log, told := slog.New(slog.NewTextHandler(&out, nil)), sparse{}
		for range 3600 {
			told.log(log, slog.LevelWarn, "refused", 10, "why")
			<-time.After(time.Second)
		}
		text := out.String()
		if n := strings.Count(text, "\n"); n != 60 {
			t.Errorf("%d lines in an hour, want 60", n)
		}
		if !strings.Contains(text, "refused count=10 reason=why") || !strings.Contains(text, "refused count=600 reason=why") {
			t.Errorf("the log is\n%.500s", text)
		}
	})
}
