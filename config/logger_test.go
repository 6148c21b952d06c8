package config

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

func TestLoggerComponents(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(Log{Level: slog.LevelDebug, Components: Components{"agent"}, Format: "json"}, &out)
	master, agent := log.With(ComponentKey, "master"), log.With(ComponentKey, "agent")
	master.Debug("dropped: another component")
	log.Debug("dropped: no component")
	agent.WithGroup("g").Debug("kept: in a group")
	agent.With("x", 1).Debug("kept: with more")
	log.Debug("kept: named by the line", ComponentKey, "agent")
	agent.Debug("dropped: named by the line", ComponentKey, "master")
	log.WithGroup("g").With(ComponentKey, "agent").Debug("dropped: only a group's attribute")
	master.Info("kept: not debug")
	log.Warn("kept: not debug")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, line := range lines {
		var entry struct{ Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil || !strings.HasPrefix(entry.Msg, "kept") {
			t.Errorf("%s: %v", line, err)
		}
	}
	if len(lines) != 5 {
		t.Errorf("got %d lines, want 5:\n%s", len(lines), out.String())
	}
}

func TestLoggerLevel(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(Log{Level: slog.LevelWarn, Format: "text"}, &out)
	log.Info("too low")
	log.Warn("hello\n\x1b[31m", "k", "v")
	if got := out.String(); strings.Contains(got, "too low") || strings.Contains(got, "\x1b") || !strings.Contains(got, "level=WARN") {
		t.Errorf("got %q", got)
	}
}
