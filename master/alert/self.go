package alert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vedettehq/vedette/master/alert/route"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// selfNote marks the silence that a host has asked for, with its name.
	selfNote = "vedette/self"
	// maxSelf bounds how long a host can keep people from being told of its alerts, and
	// maxSelves how many such silences of a host are known, which are those of about an
	// hour.
	maxSelf   = 7 * 24 * time.Hour
	maxSelves = 20
)

// selfOf returns the Maintenance of a silence that a host has asked for, or "".
func selfOf(s route.Silence) string {
	if s.Notes[selfNote] != "" {
		return wire.SelfMaintenance
	}
	return ""
}

// SelfMaintenance keeps people from being told of the alerts of a host that asks for it,
// or ends that. A host has one such silence at a time; another request changes its end.
// The caller has checked that it is that host.
func (a *Alerts) SelfMaintenance(ctx context.Context, p wire.SelfMaintenanceParams) (wire.SelfMaintenanceResult, error) {
	var result wire.SelfMaintenanceResult
	d := time.Duration(p.Seconds * float64(time.Second))
	switch {
	case p.End && p.Seconds != 0:
		return result, rpc.Errorf(rpc.CodeInvalidParams, "give a time or an end, not both")
	case !p.End && !(p.Seconds >= 1 && p.Seconds <= maxSelf.Seconds()):
		return result, rpc.Errorf(rpc.CodeInvalidParams, "a host's own maintenance lasts from 1 second to 7 days, not %g seconds", p.Seconds)
	}
	a.maintenance.changing.Lock()
	defer a.maintenance.changing.Unlock()
	all, err := a.route.Silences(ctx, true)
	if errors.Is(err, route.ErrNotOpen) {
		return result, rpc.Errorf(wire.CodeBusy, "%v", err)
	}
	if err != nil {
		return result, err
	}
	now, known := time.Now(), 0
	want := route.Silence{From: now}
	for _, one := range all {
		if one.Notes[selfNote] != p.Hostname {
			continue
		}
		known++
		if !one.To.After(now) {
			continue
		}
		want.ID, want.From = one.ID, one.From
		if p.End {
			if err := a.route.Unsilence(ctx, one.ID); err != nil {
				return result, err
			}
			result.Ended++
		}
	}
	if p.End {
		a.opts.Changed()
		return result, nil
	}
	if want.ID == "" && known >= maxSelves {
		return result, rpc.Errorf(wire.CodeBusy, "the host %q has begun maintenance %d times in about an hour, which is the limit; let one last longer",
			p.Hostname, known)
	}
	want.Matchers, want.To = []string{fmt.Sprintf("%s=%q", labelHost, p.Hostname)}, now.Add(d)
	want.By, want.Comment = audit.From(ctx).Who(), cmp.Or(p.Message, "maintenance, says the host")
	want.Notes = map[string]string{selfNote: p.Hostname, route.BriefNote: "yes"}
	silence, err := a.route.Silence(ctx, want)
	if err != nil {
		return result, err
	}
	a.opts.Changed()
	result.ToMS = silence.To.UnixMilli()
	return result, nil
}
