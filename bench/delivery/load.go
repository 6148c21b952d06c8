package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/golang/snappy"

	"github.com/vedettehq/vedette/rpc/wire"
)

// shape is a load: agents that report every series once a round, a second after
// the one before by their clocks.
type shape struct {
	agents, series, rounds int // series of each agent
}

func (s shape) samples() int { return s.agents * s.series * s.rounds }

func (s shape) String() string { return fmt.Sprintf("%d agents × %d series", s.agents, s.series) }

// The series are the same in every store: chart_item_N{host, key, device, zone}.

func hostName(agent int) string { return fmt.Sprintf("host-%d", agent) }

func keyOf(series int) string { return fmt.Sprintf("chart/item_%d", series) }

func ownLabels() map[string]string { return map[string]string{"device": "eth0", "zone": "berlin"} }

// value is that of a series in a round: a third of them are counters, a third
// move about, a third stay as they are.
func value(agent, series, round int) float64 {
	switch i := agent*1000 + series; i % 3 {
	case 0:
		return float64(round * (i + 1))
	case 1:
		return float64((round*7919+i*31)%10_000) / 100
	}
	return 1
}

// clock is the time of a round. The last is a minute ago.
type clock struct{ start time.Time }

func newClock(s shape) clock {
	return clock{time.Now().Add(-time.Minute - time.Duration(s.rounds)*time.Second).Truncate(time.Second)}
}

func (c clock) at(round int) int64 { return c.start.UnixMilli() + int64(round)*1000 }

// encoded is the parameters of a call as they go over the wire. It implements
// what both codecs ask of a value that encodes itself.
type encoded []byte

// MarshalCBOR returns the bytes.
func (e encoded) MarshalCBOR() ([]byte, error) { return e, nil }

// MarshalJSON returns the bytes.
func (e encoded) MarshalJSON() ([]byte, error) { return e, nil }

// report encodes what an agent reports in a round, as CBOR. The first round
// declares the series.
func (s shape) report(c clock, agent, round int) encoded {
	var b []byte
	members := uint64(5)
	if round == 0 {
		members++
	}
	b = appendHead(b, 5, members)
	b = appendText(appendText(b, "boot_id"), bootID)
	b = appendHead(appendText(b, "seq"), 0, uint64(round)+1)
	if round == 0 {
		b = appendHead(appendText(b, "series"), 4, uint64(s.series))
		for i := range s.series {
			b = appendHead(b, 5, 3)
			b = appendHead(appendText(b, "id"), 0, uint64(i))
			b = appendText(appendText(b, "key"), keyOf(i))
			b = appendHead(appendText(b, "labels"), 5, uint64(len(ownLabels())))
			for name, value := range ownLabels() {
				b = appendText(appendText(b, name), value)
			}
		}
	}
	b = appendHead(appendText(b, "t"), 4, uint64(s.series))
	for range s.series {
		b = appendHead(b, 0, uint64(c.at(round)))
	}
	b = appendHead(appendText(b, "s"), 4, uint64(s.series))
	for i := range s.series {
		b = appendHead(b, 0, uint64(i))
	}
	b = appendHead(appendText(b, "v"), 4, uint64(s.series))
	for i := range s.series {
		b = appendFloat(b, value(agent, i, round))
	}
	return b
}

const bootID = "boot"

// appendHead appends a head of CBOR (RFC 8949): a major type and its number.
func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major<<5|byte(n))
	case n < 1<<8:
		return append(b, major<<5|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major<<5|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, major<<5|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major<<5|27), n)
}

func appendText(b []byte, s string) []byte { return append(appendHead(b, 3, uint64(len(s))), s...) }

// appendFloat appends the shortest form that holds v. Like an agent it leaves out the form
// of two bytes.
func appendFloat(b []byte, v float64) []byte {
	if short := float32(v); float64(short) == v {
		return binary.BigEndian.AppendUint32(append(b, 7<<5|26), math.Float32bits(short))
	}
	return binary.BigEndian.AppendUint64(append(b, 7<<5|27), math.Float64bits(v))
}

// remoteWrite encodes the same round as the body of a request of remote write.
func (s shape) remoteWrite(c clock, agent, round int) encoded {
	var request, series, part []byte
	for i := range s.series {
		series = series[:0]
		for _, label := range [][2]string{
			{"__name__", "chart_item_" + strconv.Itoa(i)}, {"device", "eth0"}, {"host", hostName(agent)}, {"key", keyOf(i)}, {"zone", "berlin"},
		} {
			part = appendField(appendField(part[:0], 1, label[0]), 2, label[1])
			series = appendField(series, 1, string(part))
		}
		part = binary.LittleEndian.AppendUint64(append(part[:0], 1<<3|1), math.Float64bits(value(agent, i, round)))
		part = binary.AppendUvarint(append(part, 2<<3), uint64(c.at(round)))
		series = appendField(series, 2, string(part))
		request = appendField(request, 1, string(series))
	}
	return snappy.Encode(nil, request)
}

// appendField appends a field of Protocol Buffers that has a length.
func appendField(b []byte, number byte, content string) []byte {
	return append(binary.AppendUvarint(append(b, number<<3|2), uint64(len(content))), content...)
}

// metric encodes one sample of a round as the walkthrough's call has it.
func metric(c clock, agent, series, round int) encoded {
	return fmt.Appendf(nil, `{"hostname":%q,"metric":{"ts":%d,"key":%q,"val":%v,"labels":{"device":"eth0","zone":"berlin"}}}`,
		hostName(agent), c.at(round), keyOf(series), value(agent, series, round))
}

func hello(agent int) wire.HelloParams {
	return wire.HelloParams{
		Protocol: wire.Version, Host: hostName(agent), AgentID: "agent-" + strconv.Itoa(agent), BootID: bootID,
		Version: "bench", OS: "linux", Arch: "amd64", StartedMS: time.Now().UnixMilli(), NowMS: time.Now().UnixMilli(),
	}
}
