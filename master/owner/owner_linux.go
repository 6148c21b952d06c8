package owner

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// askWithin bounds the time for the kernel's answer, which comes at once.
const askWithin = 10 * time.Second

// Trusted returns nil if the other end of a connection belongs to this process's user
// or to root, otherwise an error that says why not.
func Trusted(c net.Conn) error {
	uid, err := Of(c)
	switch {
	case err != nil:
		return err
	case uid == 0:
		return nil
	case uid != uint32(os.Geteuid()):
		return fmt.Errorf("the other end belongs to user %d", uid)
	case !allUsersAreKnown():
		// A user without a number in this namespace is shown as another one.
		return fmt.Errorf("%w: in this user namespace others may look like user %d", ErrUnknown, uid)
	}
	return nil
}

// Of returns the user whose process holds the other end of a TCP connection.
func Of(c net.Conn) (uid uint32, err error) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return 0, fmt.Errorf("%w: it is no TCP connection", ErrUnknown)
	}
	// The question is about the other end, for which remote and local are
	// exchanged.
	local, remote := addrPort(tcp.RemoteAddr()), addrPort(tcp.LocalAddr())
	if !local.Addr().IsLoopback() || !remote.Addr().IsLoopback() {
		return 0, fmt.Errorf("%w: %s is not of this machine's loopback", ErrUnknown, local)
	}
	if uid, err = ask(local, remote); err != nil {
		return 0, err
	}
	// While this end is there, no other connection can have had its addresses.
	return uid, isConnected(tcp)
}

func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	at := tcp.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
}

// The offsets in the kernel's struct inet_diag_req_v2 and inet_diag_msg
// (linux/inet_diag.h). Both contain a struct inet_diag_sockid.
const (
	requestBytes  = 56
	requestID     = 8
	answerBytes   = 72
	answerState   = 1
	answerID      = 4
	answerUID     = 64
	answerInode   = 68
	idSourcePort  = 0
	idTargetPort  = 2
	idSource      = 4
	idTarget      = 20
	idCookie      = 40
	sockDiagByFam = 20
)

// ask asks for the socket of exactly these addresses.
func ask(local, remote netip.AddrPort) (uint32, error) {
	request := make([]byte, requestBytes)
	request[0], request[1] = unix.AF_INET6, unix.IPPROTO_TCP
	if local.Addr().Is4() {
		request[0] = unix.AF_INET
	}
	binary.NativeEndian.PutUint32(request[4:], ^uint32(0)) // in any state
	id := request[requestID:]
	binary.BigEndian.PutUint16(id[idSourcePort:], local.Port())
	binary.BigEndian.PutUint16(id[idTargetPort:], remote.Port())
	copy(id[idSource:idTarget], local.Addr().AsSlice())
	copy(id[idTarget:idTarget+16], remote.Addr().AsSlice())
	for i := idCookie; i < len(id); i++ {
		id[i] = 0xff // none
	}
	conn, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return 0, fmt.Errorf("%w: %v", ErrUnknown, err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(askWithin)); err != nil {
		return 0, fmt.Errorf("%w: %v", ErrUnknown, err)
	}
	answers, err := conn.Execute(netlink.Message{Header: netlink.Header{Type: sockDiagByFam, Flags: netlink.Request}, Data: request})
	if err != nil {
		return 0, fmt.Errorf("%w: %v", ErrUnknown, err)
	}
	if len(answers) != 1 || len(answers[0].Data) < answerBytes {
		return 0, fmt.Errorf("%w: it answers with something else", ErrUnknown)
	}
	return readAnswer(answers[0].Data, local, remote)
}

// readAnswer reads the user from an answer, if it is about the connection.
func readAnswer(answer []byte, local, remote netip.AddrPort) (uint32, error) {
	id := answer[answerID:]
	if endpoint(answer[0], id[idSource:], id[idSourcePort:]) != local || endpoint(answer[0], id[idTarget:], id[idTargetPort:]) != remote {
		return 0, fmt.Errorf("%w: it knows no such connection", ErrUnknown)
	}
	switch answer[answerState] {
	case unix.BPF_TCP_ESTABLISHED, unix.BPF_TCP_FIN_WAIT1, unix.BPF_TCP_FIN_WAIT2:
	default:
		return 0, fmt.Errorf("%w: the other end is in the state %d", ErrUnknown, answer[answerState])
	}
	if binary.NativeEndian.Uint32(answer[answerInode:]) == 0 {
		// No process has it any more, and the user would be 0, which is root.
		return 0, fmt.Errorf("%w: the other end has hung up", ErrUnknown)
	}
	return binary.NativeEndian.Uint32(answer[answerUID:]), nil
}

func endpoint(family byte, address, port []byte) netip.AddrPort {
	ip := netip.AddrFrom4([4]byte(address[:4]))
	if family == unix.AF_INET6 {
		ip = netip.AddrFrom16([16]byte(address[:16])).Unmap()
	}
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(port))
}

// isConnected returns an error for a broken connection.
func isConnected(tcp *net.TCPConn) error {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return fmt.Errorf("%w: %v", ErrUnknown, err)
	}
	var info *unix.TCPInfo
	var failed error
	if err := raw.Control(func(fd uintptr) { info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); err != nil {
		return fmt.Errorf("%w: %v", ErrUnknown, err)
	}
	if failed != nil || (info.State != unix.BPF_TCP_ESTABLISHED && info.State != unix.BPF_TCP_CLOSE_WAIT) {
		return fmt.Errorf("%w: the connection is cut", ErrUnknown)
	}
	return nil
}

// allUsersAreKnown reports whether every user of the machine has a number in this
// process's user namespace.
func allUsersAreKnown() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false
	}
	fields := strings.Fields(string(text))
	return len(fields) == 3 && fields[0] == "0" && fields[1] == "0" && fields[2] == "4294967295"
}
