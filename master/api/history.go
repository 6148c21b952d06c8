package api

import (
	"context"
	"errors"
	"time"

	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

func (a *API) historyRange(ctx context.Context, p wire.HistoryRangeParams) (wire.HistoryRangeResult, error) {
	pattern, err := live.ParsePattern(p.Pattern)
	if err != nil {
		return wire.HistoryRangeResult{}, rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	}
	request := history.RangeRequest{Pattern: pattern, From: p.FromMS, To: p.ToMS, Points: p.Points, Means: p.Means}
	if request.To == 0 {
		request.To = time.Now().UnixMilli()
	}
	if request.From < 0 {
		request.From = max(0, request.To+request.From)
	}
	result, err := a.History.Range(history.WithCaller(ctx, connOf(rpc.PeerFrom(ctx)).who().Name), request)
	switch {
	case errors.As(err, new(*history.BusyError)), errors.Is(err, context.Canceled):
		return wire.HistoryRangeResult{}, takeError(err, wire.HistoryRange.Name)
	case errors.Is(err, history.ErrRange):
		return wire.HistoryRangeResult{}, rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	case err != nil:
		return wire.HistoryRangeResult{}, rpc.Errorf(rpc.CodeInternal, "%v", err)
	}
	return packRange(request, result), nil
}

func packRange(request history.RangeRequest, result history.RangeResult) wire.HistoryRangeResult {
	samples := 0
	for i := range result.Series {
		samples += len(result.Series[i].T)
	}
	packed := wire.HistoryRangeResult{
		FromMS: request.From, ToMS: request.To, Points: result.Points, Truncated: result.Truncated,
		Series:  make([]wire.Series, 0, len(result.Series)),
		Columns: wire.Columns{T: make([]int64, 0, samples), S: make([]uint32, 0, samples), V: make([]float64, 0, samples)},
	}
	if request.Means {
		packed.Means = &wire.Columns{T: []int64{}, S: []uint32{}, V: []float64{}}
	}
	for i := range result.Series {
		s := &result.Series[i]
		id := uint32(i + 1)
		packed.Series = append(packed.Series, wire.Series{ID: id, Host: s.Host, Key: s.Key, Labels: s.Labels, Kind: s.Kind})
		for k := range s.T {
			packed.T, packed.S, packed.V = append(packed.T, s.T[k]), append(packed.S, id), append(packed.V, s.V[k])
		}
		for k := range s.MeanT {
			m := packed.Means
			m.T, m.S, m.V = append(m.T, s.MeanT[k]), append(m.S, id), append(m.V, s.Mean[k])
		}
	}
	return packed
}
