package rollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// named is how many hosts a story names.
	named = 3
	// maxReason bounds how much of one host's reason a story contains, in bytes.
	maxReason = 200
)

func equal(a, b []wire.HostReceipt) bool { return slices.Equal(a, b) }

// stageName is the current stage as people count.
func (s *step) stageName() string {
	return fmt.Sprintf("stage %d of %d", s.r.Stage+1, len(s.r.Stages))
}

// story says which hosts failed and why, for example "3 of 50 hosts failed: web-1:
// disk.go:12:3: …".
func (s *step) story() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %s failed", s.all.failed, count(s.all.hosts()))
	for i, f := range s.failures[:min(named, len(s.failures))] {
		fmt.Fprintf(&b, "%s %s: %s", []string{":", ";", ";"}[i], f.Host, brief(f.Reason))
	}
	if more := s.all.failed - named; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// closing is the reason of a rollout that is done, or "".
func (s *step) closing() string {
	switch {
	case s.all.failed > 0:
		return s.story()
	case s.all.hosts() > 0 && s.all.away == s.all.hosts():
		if s.r.To == "" {
			return nobody(s.all.hosts()) + "; they drop it when they return"
		}
		return nobody(s.all.hosts()) + "; they get it when they return"
	case s.all.refused > 0 && s.all.well == 0:
		return fmt.Sprintf("no host accepts it: %d of %s refused", s.all.refused, count(s.all.hosts()))
	}
	return ""
}

// whyIdle says why no host of the current stage is on its way.
func (s *step) whyIdle() string {
	hosts, refused := s.current.hosts(), s.current.refused
	var text string
	switch {
	case refused == 0:
		return nobody(hosts)
	case hosts == 1:
		text = "its one host refuses it"
	case refused == hosts:
		text = fmt.Sprintf("all of its %d hosts refuse it", hosts)
	default:
		text = fmt.Sprintf("%d of its %d hosts refuse it, and the others are not there", refused, hosts)
	}
	text += ": " + strings.Join(s.refusals, "; ")
	if more := refused - len(s.refusals); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

func nobody(hosts int) string {
	if hosts == 1 {
		return "its one host is not there"
	}
	return fmt.Sprintf("none of its %d hosts is there", hosts)
}

func count(hosts int) string {
	if hosts == 1 {
		return "1 host"
	}
	return fmt.Sprintf("%d hosts", hosts)
}

// brief is the first line of a reason, up to a bound.
func brief(reason string) string {
	line, _, more := strings.Cut(strings.TrimSpace(reason), "\n")
	if len(line) > maxReason {
		line, more = strings.ToValidUTF8(line[:maxReason], ""), true
	}
	if more {
		line += " …"
	}
	return line
}
