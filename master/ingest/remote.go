package ingest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/history/receive"
	"github.com/vedettehq/vedette/master/live"
)

const (
	// maxRemoteSeries bounds how many series of remote write are remembered. Beyond it all
	// are looked up again.
	maxRemoteSeries = 500_000
	// maxRemoteLabels and maxRemoteBytes bound the labels of one series: those of
	// other systems have more of them than ours, and longer ones.
	maxRemoteLabels = 128
	maxRemoteBytes  = 64 << 10
)

// Names of labels that have a special meaning.
const (
	labelHost     = "host"
	labelKey      = "key"
	labelInstance = "instance"
	labelJob      = "job"
	// exported is put before the name of a label that we set ourselves, as Prometheus
	// does.
	exported = "exported_"
)

// remoteCache knows the series that came by remote write, by all their labels.
type remoteCache struct {
	mu     sync.Mutex
	series map[string]remoteSeries
}

type remoteSeries struct {
	series
	host string
}

// Reasons for refusing remote write, in addition to those of the history.
const (
	refusedName   = "name"   // of a metric or a label that Prometheus would not take either
	refusedLabels = "labels" // too many of them, or too long
	refusedHost   = "host"   // none, and none that could be made up
)

// remoteError says why a series cannot be taken, in a word and in full.
type remoteError struct {
	reason string
	err    error
}

func (e *remoteError) Error() string { return e.err.Error() }
func (e *remoteError) Unwrap() error { return e.err }

// reasonOf returns the word for why a series cannot be taken.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*remoteError](err); ok {
		return e.reason
	}
	if errors.Is(err, errNoRoom) {
		return history.RefusedLimit
	}
	return history.RefusedOther
}

// Remote takes samples that came by remote write. The metric becomes the key. The host is
// the given one, that of the sender's credential, or otherwise the one that the labels
// "host", "instance" or "job" name. The history stores the samples unchanged; live viewers
// get only finite values with plausible times, under labels that are safe to show. If the
// error is a *history.BusyError, nothing was taken and the sender must send the samples
// again.
func (i *Ingest) Remote(ctx context.Context, host string, request []receive.Series) (receive.Result, error) {
	var result receive.Result
	var kept []history.Sample
	var shown []live.Sample
	hosts := make(map[string]int) // samples
	latest := time.Now().Add(MaxFuture).UnixMilli()
	for k := range request {
		s, err := i.remoteSeries(host, &request[k])
		if err != nil {
			result.RefuseLine(request[k].Line, len(request[k].Points), reasonOf(err), err)
			continue
		}
		for _, p := range request[k].Points {
			kept = append(kept, history.Sample{Series: s.kept, T: p.T, V: p.V})
			if receive.IsFinite(p.V) && p.T > 0 && p.T <= latest {
				shown = append(shown, live.Sample{Series: s.live, Point: live.Point{T: p.T, V: p.V}})
			}
		}
		hosts[s.host] += len(request[k].Points)
	}
	stored, err := i.store.NewAppender().Append(ctx, kept)
	if err != nil {
		return receive.Result{}, err
	}
	for reason, n := range stored.By {
		result.Refuse(n, reason, stored.Reason)
	}
	i.hub.Publish(shown)
	for name, samples := range hosts {
		if err := i.registry.Seen(name, samples, i.hub.SeriesCount(name)); err != nil {
			return receive.Result{}, err
		}
	}
	return result, nil
}

// remoteSeries finds or makes a series.
func (i *Ingest) remoteSeries(host string, from *receive.Series) (remoteSeries, error) {
	id := remoteID(host, from)
	i.remote.mu.Lock()
	known, ok := i.remote.series[id]
	i.remote.mu.Unlock()
	if ok {
		return known, nil
	}
	made, err := i.makeRemote(host, from)
	if err != nil {
		return remoteSeries{}, fmt.Errorf("series %.200q: %w", from.Name, err)
	}
	i.remote.mu.Lock()
	defer i.remote.mu.Unlock()
	if i.remote.series == nil || len(i.remote.series) >= maxRemoteSeries {
		i.remote.series = make(map[string]remoteSeries)
	}
	i.remote.series[id] = made
	return made, nil
}

// remoteID is a text that differs between different series.
func remoteID(host string, from *receive.Series) string {
	size := len(host) + len(from.Name) + 4
	for _, l := range from.Labels {
		size += len(l.Name) + len(l.Value) + 4
	}
	b := make([]byte, 0, size)
	add := func(text string) {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	add(host)
	add(from.Name)
	for _, l := range from.Labels {
		add(l.Name)
		add(l.Value)
	}
	return string(b)
}

func (i *Ingest) makeRemote(host string, from *receive.Series) (remoteSeries, error) {
	if from.Name == "" || !utf8.ValidString(from.Name) {
		return remoteSeries{}, &remoteError{refusedName, fmt.Errorf("%w: that is not the name of a metric", inspectors.ErrName)}
	}
	own, named, err := remoteLabels(host, from.Labels)
	if err != nil {
		return remoteSeries{}, err
	}
	key, kind := inspectors.MetricKey(from.Name), inspectors.MetricKind(from.Name)
	bearable, differs := inspectors.BearableStored(own)
	shown, err := i.intern(named, key, bearable, kind)
	if err != nil {
		return remoteSeries{}, err
	}
	if differs {
		i.mapped("label", 1)
	}
	if !inspectors.IsMetricName(from.Name) {
		i.mapped("name", 1)
	}
	return remoteSeries{host: named, series: series{
		live: shown,
		kept: i.store.NewNamedSeries(from.Name, named, key, own, kind),
	}}, nil
}

// remoteLabels returns the labels that a series keeps, and its host.
func remoteLabels(host string, from []receive.Label) (own inspectors.Labels, named string, err error) {
	bytes := 0
	given := make(map[string]string, len(from))
	for _, l := range from {
		bytes += len(l.Name) + len(l.Value)
		_, twice := given[l.Name]
		switch {
		case twice:
			return nil, "", &remoteError{refusedName, fmt.Errorf("%w: label %q is given twice", inspectors.ErrName, l.Name)}
		case l.Name == "" || !utf8.ValidString(l.Name) || !utf8.ValidString(l.Value):
			return nil, "", &remoteError{refusedName, fmt.Errorf("%w: label %s has no name, or is not UTF-8", inspectors.ErrName, inspectors.Quote(l.Name))}
		}
		given[l.Name] = l.Value
	}
	if len(from) > maxRemoteLabels || bytes > maxRemoteBytes {
		return nil, "", &remoteError{refusedLabels, fmt.Errorf("%w: %d labels of %d bytes; at most %d of %d are allowed", inspectors.ErrName, len(from), bytes,
			maxRemoteLabels, maxRemoteBytes)}
	}
	for _, l := range from {
		if l.Value == "" || l.Name == labelHost && (host == "" || l.Value == host) {
			continue // not a label, or the host
		}
		if l.Name == labelHost || l.Name == labelKey {
			for given[l.Name] != "" {
				l.Name = exported + l.Name // as Prometheus does it
			}
		}
		own = append(own, inspectors.Label{Name: l.Name, Value: l.Value})
	}
	slices.SortFunc(own, func(a, b inspectors.Label) int { return strings.Compare(a.Name, b.Name) })
	if named = host; named == "" {
		named = remoteHost(given)
	}
	if err := inspectors.ValidateHost(named); err != nil {
		return nil, "", &remoteError{refusedHost, fmt.Errorf("%w; a series needs a label %q or %q", err, labelHost, labelInstance)}
	}
	return own, named, nil
}
