package ingest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/history/receive"
	"github.com/vedettehq/vedette/master/live"
)

const (
	// maxRemoteSeries bounds the series of remote write that are remembered.
	// Beyond it they are all looked up anew.
	maxRemoteSeries = 500_000
	// maxRemoteLabels bounds the labels of one series: those of other systems
	// have more of them than ours.
	maxRemoteLabels = 64
)

// Names of labels that have a meaning of their own.
const (
	labelHost     = "host"
	labelKey      = "key"
	labelInstance = "instance"
	// exported goes before the name of a label that we set ourselves, as
	// Prometheus does it.
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

// Remote takes samples that came by remote write. The metric becomes the key;
// the host is the given one, that of the sender's credential, or else what the
// label "host" or "instance" says. The error is a *history.BusyError when
// nothing was taken and it is to be sent again.
func (i *Ingest) Remote(ctx context.Context, host string, request []receive.Series) (receive.Result, error) {
	var result receive.Result
	refuse := func(n int, err error) {
		if result.Refused == 0 {
			result.Reason = err
		}
		result.Refused += n
	}
	var kept []history.Sample
	var shown []live.Sample
	hosts := make(map[string]int) // samples
	latest := time.Now().Add(MaxFuture).UnixMilli()
	for k := range request {
		s, err := i.remoteSeries(host, &request[k])
		if err != nil {
			refuse(len(request[k].Points), err)
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
	if stored.Refused > 0 {
		refuse(stored.Refused, stored.Reason)
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

// remoteID is a text that differs for different series. No label holds a zero
// byte that would be taken.
func remoteID(host string, from *receive.Series) string {
	var b strings.Builder
	b.WriteString(host)
	b.WriteByte(0)
	b.WriteString(from.Name)
	for _, l := range from.Labels {
		b.WriteByte(0)
		b.WriteString(l.Name)
		b.WriteByte(0)
		b.WriteString(l.Value)
	}
	return b.String()
}

func (i *Ingest) makeRemote(host string, from *receive.Series) (remoteSeries, error) {
	if !isMetricName(from.Name) {
		return remoteSeries{}, fmt.Errorf("%w: that is no name of a metric", inspectors.ErrName)
	}
	own, named, err := remoteLabels(host, from.Labels)
	if err != nil {
		return remoteSeries{}, err
	}
	key := remoteKey(from.Name)
	if err := inspectors.ValidateKey(key); err != nil {
		return remoteSeries{}, err
	}
	if err := inspectors.ValidateHost(named); err != nil {
		return remoteSeries{}, fmt.Errorf("%w; a series needs a label %q or %q", err, labelHost, labelInstance)
	}
	kind := remoteKind(from.Name)
	shown, err := i.intern(named, key, own, kind)
	if err != nil {
		return remoteSeries{}, err
	}
	return remoteSeries{host: named, series: series{
		live: shown,
		kept: i.store.NewNamedSeries(from.Name, named, key, own, kind),
	}}, nil
}

// remoteLabels returns the labels that a series keeps, and its host.
func remoteLabels(host string, from []receive.Label) (own inspectors.Labels, named string, err error) {
	if len(from) > maxRemoteLabels {
		return nil, "", fmt.Errorf("%w: %d labels; at most %d are allowed", inspectors.ErrName, len(from), maxRemoteLabels)
	}
	named = host
	instance := ""
	for _, l := range from {
		switch {
		case l.Value == "":
			continue // which is no label
		case l.Name == labelHost && host == "":
			named = l.Value
			continue
		case l.Name == labelHost || l.Name == labelKey:
			l.Name = exported + l.Name
		case l.Name == labelInstance:
			instance = l.Value
		}
		one := inspectors.Labels{{Name: l.Name, Value: l.Value}}
		if err := one.Validate(); err != nil {
			return nil, "", err
		}
		own = append(own, one[0])
	}
	slices.SortFunc(own, func(a, b inspectors.Label) int { return strings.Compare(a.Name, b.Name) })
	for k := 1; k < len(own); k++ {
		if own[k-1].Name == own[k].Name {
			return nil, "", fmt.Errorf("%w: label %q is given twice", inspectors.ErrName, own[k].Name)
		}
	}
	if named == "" {
		named = instance
		if name, _, err := net.SplitHostPort(instance); err == nil {
			named = name
		}
	}
	return own, named, nil
}

// isMetricName reports whether a name is one of Prometheus' classic form.
func isMetricName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == ':'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// remoteKey makes a key of the name of a metric: a chart of its own. A name that
// is longer than a segment may be is divided at its underscores.
func remoteKey(name string) string {
	const most = inspectors.MaxSegmentBytes
	var segments []string
	for len(name) > most {
		cut := strings.LastIndexByte(name[:most], '_')
		if cut <= 0 {
			break // ValidateKey refuses it
		}
		segments = append(segments, name[:cut])
		name = name[cut+1:]
	}
	return strings.Join(append(segments, name), "/")
}

// remoteKind is what the name of a metric says.
func remoteKind(name string) inspectors.Kind {
	for _, suffix := range []string{"_total", "_count", "_sum", "_bucket"} {
		if strings.HasSuffix(name, suffix) {
			return inspectors.Counter
		}
	}
	return inspectors.Gauge
}
