package agent

import (
	"context"
	"errors"
	"time"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// sendReceipts tells the master how far the assigned inspectors are, and then
// every change. Changes that come within a moment go in one call, and a receipt
// that changed again before it was sent is sent in its latest state. It returns
// when ctx ends or the connection is unusable.
func (s *session) sendReceipts(ctx context.Context, p *rpc.Peer) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	s.Receipts.Again(0)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.Receipts.Bell():
		case <-timer.C:
		}
		due := s.Receipts.Due()
		if due.IsZero() {
			continue
		}
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			continue
		}
		if err := s.sendReceipt(ctx, p); err != nil {
			return err
		}
		timer.Reset(0) // for changes that came meanwhile
	}
}

// sendReceipt makes one call. An error means that the connection is unusable.
func (s *session) sendReceipt(ctx context.Context, p *rpc.Peer) error {
	call, cancel := context.WithTimeout(ctx, s.callTimeout)
	defer cancel()
	_, err := wire.MasterReceipt.Call(call, p, s.Receipts.Take())
	re, answered := errors.AsType[*rpc.Error](err)
	switch {
	case !answered, refusedForGood(err), re.Code == wire.CodeConflict:
		return err
	case re.Code == wire.CodeBusy:
		s.Receipts.Again(busyPause(err))
	case re.Code == rpc.CodeMethodNotFound:
		s.noReceipts.Do(func() {
			s.Log.Warn("the master takes no receipts of pushed inspectors; install this agent's version on it")
		})
		<-ctx.Done()
		return context.Cause(ctx)
	default:
		s.Log.Error("the master refused receipts", "reason", re)
	}
	return nil
}
