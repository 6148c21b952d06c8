package plugins

import (
	"fmt"
	"time"

	"github.com/vedettehq/vedette/internal/starve"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// Starvation counts how long work on this host had to wait for a processor, and
// decides from that whether the host is starved. A nil one counts nothing.
type Starvation = starve.Gauge

// Starvation counts how long the children had to wait for a processor. The user of
// the pool adds how long it had to wait itself.
func (p *Pool) Starvation() *Starvation { return p.starvation }

// account counts how long a run was kept from working, and excuses one that could
// not begin for that reason.
func (p *Pool) account(o *Outcome, s pb.Status) {
	now := time.Now()
	if o.Starved > 0 {
		p.starvation.Add(now.Add(-o.Starved), now)
	}
	if s != pb.Status_STATUS_STUCK {
		return
	}
	if reason := p.starvation.Reason(now); reason != "" {
		o.Err = fmt.Errorf("%w: %w: %s", ErrStarved, ErrUnended, reason)
	}
}
