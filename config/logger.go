package config

import (
	"context"
	"io"
	"log/slog"
	"slices"
)

// ComponentKey is the attribute that names the component which logs:
// log.With(config.ComponentKey, "master").
const ComponentKey = "component"

// NewLogger makes the logger of a configuration, which writes to w. If
// Log.Components names any components, debug lines of all others are left out.
// Lines of a higher level are never left out for their component.
func NewLogger(cfg Log, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Level}
	var h slog.Handler
	if cfg.Format == "json" {
		h = slog.NewJSONHandler(w, options)
	} else {
		h = slog.NewTextHandler(w, options)
	}
	if len(cfg.Components) > 0 {
		h = &componentHandler{Handler: h, components: cfg.Components}
	}
	return slog.New(h)
}

// componentHandler drops the debug lines of unwanted components.
type componentHandler struct {
	slog.Handler
	components []string // those that may log debug lines
	component  string   // of this logger, or empty
	grouped    bool     // attributes are inside a group: none names the component
}

// Enabled implements slog.Handler. A line may name its own component, so this
// decides only by the logger's.
func (h *componentHandler) Enabled(ctx context.Context, level slog.Level) bool {
	if level < slog.LevelInfo && h.component != "" && !slices.Contains(h.components, h.component) {
		return false
	}
	return h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *componentHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelInfo {
		component := h.component
		if !h.grouped {
			r.Attrs(func(a slog.Attr) bool {
				if a.Key == ComponentKey {
					component = a.Value.String()
				}
				return true
			})
		}
		if !slices.Contains(h.components, component) {
			return nil
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *componentHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	n := *h
	n.Handler = h.Handler.WithAttrs(attrs)
	for _, a := range attrs {
		if a.Key == ComponentKey && !h.grouped {
			n.component = a.Value.String()
		}
	}
	return &n
}

// WithGroup implements slog.Handler.
func (h *componentHandler) WithGroup(name string) slog.Handler {
	n := *h
	n.Handler = h.Handler.WithGroup(name)
	n.grouped = h.grouped || name != ""
	return &n
}
