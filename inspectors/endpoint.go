package inspectors

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Endpoint is a place that a script may connect to: net:HOST:PORT. Either Name or
// Prefix is set.
type Endpoint struct {
	// Name is a host name, in lower case.
	Name string
	// Prefix has the addresses; a single address has all its bits.
	Prefix netip.Prefix
	// Port is 0 for every port.
	Port uint16
}

// hostName matches a host name.
var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$`)

// ParseEndpoint reads HOST:PORT, ADDRESS:PORT or CIDR:PORT, where the port may be
// * and an IPv6 address is in brackets. A CIDR alone means every port.
func ParseEndpoint(text string) (Endpoint, error) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return endpointOf(text, prefix, 0)
	}
	host, portText, err := net.SplitHostPort(text)
	if err != nil {
		return Endpoint{}, fmt.Errorf("%s has no port; write it as net:HOST:443, or net:HOST:* for every port, with an IPv6 address in brackets", Quote(text))
	}
	port := uint64(0)
	if portText != "*" {
		if port, err = strconv.ParseUint(portText, 10, 16); err != nil || port == 0 {
			return Endpoint{}, fmt.Errorf("%s is not a port in net:%s; write a number from 1 to 65535, or *", Quote(portText), text)
		}
	}
	if prefix, err := netip.ParsePrefix(host); err == nil {
		return endpointOf(text, prefix, uint16(port))
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return Endpoint{}, fmt.Errorf("net:%s names an interface; leave %%%s out", text, addr.Zone())
		}
		addr = addr.Unmap()
		return Endpoint{Prefix: netip.PrefixFrom(addr, addr.BitLen()), Port: uint16(port)}, nil
	}
	if name := strings.ToLower(host); hostName.MatchString(name) && len(name) <= 253 && !numeric(name) {
		return Endpoint{Name: strings.TrimSuffix(name, "."), Port: uint16(port)}, nil
	}
	return Endpoint{}, fmt.Errorf("%s is neither a host, an address nor a CIDR in net:%s", Quote(host), text)
}

// numeric reports whether a resolver may take a name for an address, such as 127.1
// or 0x7f000001.
func numeric(name string) bool {
	last := name[strings.LastIndexByte(strings.TrimSuffix(name, "."), '.')+1:]
	_, err := strconv.ParseUint(strings.TrimSuffix(last, "."), 0, 64)
	return err == nil
}

func endpointOf(text string, prefix netip.Prefix, port uint16) (Endpoint, error) {
	if prefix.Addr().Is4In6() {
		return Endpoint{}, fmt.Errorf("net:%s mixes IPv4 with IPv6; write the IPv4 alone", text)
	}
	if prefix != prefix.Masked() {
		return Endpoint{}, fmt.Errorf("net:%s is not plain; write the network as %v", text, prefix.Masked())
	}
	return Endpoint{Prefix: prefix, Port: port}, nil
}

// String writes the endpoint in the form that ParseEndpoint reads.
func (e Endpoint) String() string {
	port := "*"
	if e.Port != 0 {
		port = strconv.Itoa(int(e.Port))
	}
	switch {
	case e.Name != "":
		return net.JoinHostPort(e.Name, port)
	case e.Prefix.IsSingleIP():
		return net.JoinHostPort(e.Prefix.Addr().String(), port)
	}
	return net.JoinHostPort(e.Prefix.String(), port)
}

// Near reports whether all addresses of the endpoint are near; see the function
// Near.
func (e Endpoint) Near() bool {
	if e.Name != "" {
		return e.Name == "localhost" || strings.HasSuffix(e.Name, ".localhost")
	}
	for _, near := range nearPrefixes() {
		if near.Bits() <= e.Prefix.Bits() && near.Contains(e.Prefix.Addr()) {
			return true
		}
	}
	return false
}

// Allows reports whether the endpoint covers an address and a port. of returns the
// addresses of a name, and is called only for a name.
func (e Endpoint) Allows(addr netip.AddrPort, of func(name string) []netip.Addr) bool {
	ip := addr.Addr().Unmap().WithZone("")
	if e.Port != 0 && e.Port != addr.Port() || Near(ip) && !e.Near() {
		return false
	}
	if e.Name == "" {
		return e.Prefix.Contains(ip)
	}
	for _, a := range of(e.Name) {
		if a.Unmap().WithZone("") == ip {
			return true
		}
	}
	return false
}

// covers reports whether e allows everything that need allows.
func (e Endpoint) covers(need Endpoint) bool {
	switch {
	case e.Port != 0 && e.Port != need.Port, need.Near() && !e.Near(), e.Name != need.Name:
		return false
	case e.Name != "":
		return true
	}
	return e.Prefix.Bits() <= need.Prefix.Bits() && e.Prefix.Contains(need.Prefix.Addr())
}

// Near reports whether an address belongs to the host itself or to its nearest
// surroundings: loopback, link-local, and the addresses at which clouds keep data
// that only the machine may know. A script reaches these only if it names them.
func Near(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, prefix := range nearPrefixes() {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}

// nearPrefixes are the near addresses. A connection to 0.0.0.0 is one to the host
// itself.
func nearPrefixes() []netip.Prefix {
	var list []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "127.0.0.0/8", "::/127", // this host, including the addresses ::1 and ::
		"169.254.0.0/16", "224.0.0.0/24", "255.255.255.255/32", "fe80::/10", "ff01::/16", "ff02::/16", // this link
		"100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::254/128", // metadata of clouds
	} {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// errNoSocket is the fault of unix: without a path.
var errNoSocket = errors.New("unix: has no path; write it as unix:/run/app.sock")

// checkNeededSocket returns the fault of a path in unix:PATH.
func checkNeededSocket(p string) error {
	if p == "" {
		return errNoSocket
	}
	if err := checkNeededPath(p); err != nil {
		return errors.New(strings.ReplaceAll(strings.ReplaceAll(err.Error(), "fs:", "unix:"), "that is read", "that it is in"))
	}
	return nil
}
