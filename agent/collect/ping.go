package collect

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	// usualPackets is how many packets a ping sends by default.
	usualPackets = 3
	// betweenPackets is the shortest time between two packets.
	betweenPackets = 100 * time.Millisecond
	// tagBytes distinguish our packets from those of others.
	tagBytes = 16
)

// askPing sends packets, each when the one before was answered or its time is up, and
// reports how long the answers took. A target that answers none of them is down.
func (p *probe) askPing(ctx context.Context, target string, to *answer) error {
	address, err := pingAddress(ctx, target)
	if err != nil {
		return err
	}
	e, err := newEcho(address)
	if err != nil {
		return err
	}
	defer e.conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = e.conn.SetDeadline(time.Now()) })
	defer stop()
	packets := p.of.Params.Packets
	if packets == 0 {
		packets = usualPackets
	}
	each := time.Minute
	if deadline, ok := ctx.Deadline(); ok {
		each = time.Until(deadline) / time.Duration(packets+1)
	}
	var took []time.Duration
	var last error
	for i := range packets {
		d, err := e.once(ctx, i, each)
		if err != nil {
			last = err
			continue
		}
		took = append(took, d)
		if i < packets-1 && !sleep(ctx, min(betweenPackets, each)-d) {
			break
		}
	}
	to.gauge("lost_percent", 100*float64(packets-len(took))/float64(packets))
	if len(took) == 0 {
		return fmt.Errorf("none of %d packets was answered: %w", packets, last)
	}
	least, most, sum := took[0], took[0], time.Duration(0)
	for _, d := range took {
		least, most, sum = min(least, d), max(most, d), sum+d
	}
	to.seconds("round_trip_seconds", least, "of", "least")
	to.seconds("round_trip_seconds", sum/time.Duration(len(took)), "of", "mean")
	to.seconds("round_trip_seconds", most, "of", "most")
	return nil
}

// sleep waits, and reports whether the context is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// pingAddress finds the address of a name, and prefers version 4.
func pingAddress(ctx context.Context, target string) (netip.Addr, error) {
	if address, err := netip.ParseAddr(target); err == nil {
		return address, nil
	}
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", target)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, address := range list {
		if address.Unmap().Is4() {
			return address.Unmap(), nil
		}
	}
	return list[0], nil
}

// echo sends packets to one address.
type echo struct {
	conn *icmp.PacketConn
	to   net.Addr
	v6   bool
	id   int
	tag  [tagBytes]byte
}

// newEcho opens a socket: one that any user may open if the system allows that, else one
// for root.
func newEcho(address netip.Addr) (*echo, error) {
	e := &echo{v6: address.Is6() && !address.Is4In6()}
	_, _ = rand.Read(e.tag[:])
	e.id = int(binary.BigEndian.Uint16(e.tag[:2]))
	plain, raw, local := "udp4", "ip4:icmp", "0.0.0.0"
	if e.v6 {
		plain, raw, local = "udp6", "ip6:ipv6-icmp", "::"
	}
	var err error
	if e.conn, err = icmp.ListenPacket(plain, local); err == nil {
		e.to = &net.UDPAddr{IP: address.AsSlice(), Zone: address.Zone()}
		return e, nil
	}
	if e.conn, err = icmp.ListenPacket(raw, local); err == nil {
		e.to = &net.IPAddr{IP: address.AsSlice(), Zone: address.Zone()}
		return e, nil
	}
	if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EPERM) {
		return nil, fmt.Errorf("the agent may not ping: it needs CAP_NET_RAW, or its group in the sysctl net.ipv4.ping_group_range: %w", err)
	}
	return nil, err
}

// once sends one packet, and waits for its answer.
func (e *echo) once(ctx context.Context, seq int, within time.Duration) (time.Duration, error) {
	var kind, reply icmp.Type = ipv4.ICMPTypeEcho, ipv4.ICMPTypeEchoReply
	protocol := 1
	if e.v6 {
		kind, reply, protocol = ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply, 58
	}
	message := icmp.Message{Type: kind, Body: &icmp.Echo{ID: e.id, Seq: seq, Data: e.tag[:]}}
	packet, err := message.Marshal(nil)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := e.conn.SetDeadline(begin.Add(within)); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil { // the deadline was set before
		return 0, err
	}
	if _, err := e.conn.WriteTo(packet, e.to); err != nil {
		return 0, err
	}
	buf := make([]byte, 1500)
	for {
		n, _, err := e.conn.ReadFrom(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, fmt.Errorf("no answer within %v", within.Round(time.Millisecond))
		}
		if err != nil {
			return 0, err
		}
		answer, err := icmp.ParseMessage(protocol, buf[:n])
		if err != nil || answer.Type != reply {
			continue
		}
		// The system replaces the id of an unprivileged socket by its own number.
		if body, ok := answer.Body.(*icmp.Echo); ok && body.Seq == seq && bytes.Equal(body.Data, e.tag[:]) {
			return time.Since(begin), nil
		}
	}
}
