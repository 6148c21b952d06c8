package broker

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// Reach says where one script host may connect to.
type Reach struct {
	// Net allows every endpoint that is not near; see inspectors.Near.
	Net bool
	// Endpoints are allowed in addition.
	Endpoints []inspectors.Endpoint
	// Sockets are the real paths of sockets in the file system, and of folders
	// with sockets.
	Sockets []string
	// Private are files and folders in which no socket may be used.
	Private []string
	// User is the user and group with which the agent connects to a socket in the
	// file system, 0 for the agent's own.
	User int
}

// ReachOf returns the reach of a script host from what its scripts need.
func ReachOf(n inspectors.Needs) (Reach, error) {
	r := Reach{Net: n.Net, Sockets: n.Sockets}
	for _, text := range n.Endpoints {
		e, err := inspectors.ParseEndpoint(text)
		if err != nil {
			return Reach{}, err
		}
		r.Endpoints = append(r.Endpoints, e)
	}
	return r, nil
}

// allows reports whether the host may connect to an address. of returns the
// addresses of a name.
func (r *Reach) allows(to netip.AddrPort, of func(name string) []netip.Addr) bool {
	ip := to.Addr().Unmap()
	if r.Net && !inspectors.Near(ip) {
		return true
	}
	if slices.ContainsFunc(r.Endpoints, func(e inspectors.Endpoint) bool { return e.Allows(to, of) }) {
		return true
	}
	return to.Port() == dnsPort && r.resolves() && slices.Contains(nameServers(resolverFile), ip.WithZone(""))
}

// resolves reports whether scripts have to look up names.
func (r *Reach) resolves() bool {
	return r.Net || slices.ContainsFunc(r.Endpoints, func(e inspectors.Endpoint) bool { return e.Name != "" })
}

// holdsSocket reports whether the host may connect to the socket at a real path.
func (r *Reach) holdsSocket(path string) bool {
	in := func(root string) bool {
		rest, err := filepath.Rel(root, path)
		return err == nil && filepath.IsLocal(rest)
	}
	return slices.ContainsFunc(r.Sockets, in) && !slices.ContainsFunc(r.Private, in)
}

const (
	dnsPort      = 53
	resolverFile = "/etc/resolv.conf"
)

// nameServers returns the name servers of the host, as the library's resolver
// finds them.
func nameServers(file string) []netip.Addr {
	var list []netip.Addr
	if f, err := os.Open(file); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if words := strings.Fields(lines.Text()); len(words) > 1 && words[0] == "nameserver" {
				if ip, err := netip.ParseAddr(words[1]); err == nil {
					list = append(list, ip.Unmap().WithZone(""))
				}
			}
		}
	}
	if list == nil {
		list = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
	}
	return list
}

// Bounds of the remembered names.
const (
	askAgain   = 500 * time.Millisecond // the least time between two lookups of a name
	remembered = 10 * time.Minute       // how long an address of a name is remembered
	lookupTime = 5 * time.Second
)

// names remembers the addresses of names, because each lookup of a name may return
// different ones.
type names struct {
	lookup func(ctx context.Context, name string) ([]netip.Addr, error)

	mu    sync.Mutex
	known map[string]*knownName // guarded by mu, together with its values
}

type knownName struct {
	asked time.Time
	seen  map[netip.Addr]time.Time // when the address was last among the answers
}

func newNames() *names {
	return &names{known: make(map[string]*knownName), lookup: func(ctx context.Context, name string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	}}
}

// remembered returns the recent addresses of a name.
func (n *names) remembered(name string) []netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := n.known[name]
	if k == nil {
		return nil
	}
	var list []netip.Addr
	for ip, at := range k.seen {
		if time.Since(at) < remembered {
			list = append(list, ip)
		} else {
			delete(k.seen, ip)
		}
	}
	return list
}

// ask looks a name up, unless it has just been looked up, and returns what
// remembered does.
func (n *names) ask(name string) []netip.Addr {
	n.mu.Lock()
	k := n.known[name]
	if k == nil {
		k = &knownName{seen: make(map[netip.Addr]time.Time)}
		n.known[name] = k
	}
	fresh := time.Since(k.asked) < askAgain
	n.mu.Unlock()
	if !fresh {
		ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
		defer cancel()
		found, err := n.lookup(ctx, name)
		n.mu.Lock()
		if err == nil {
			k.asked = time.Now()
		}
		for _, ip := range found {
			k.seen[ip.Unmap().WithZone("")] = time.Now()
		}
		n.mu.Unlock()
	}
	return n.remembered(name)
}
