// Package link is shared by both ends of the process boundary: the handshake, the
// names in the child's environment, the lifeline that ends a child with its agent,
// and the flight recorder that tells which inspectors ran when a child died.
package link

import (
	"context"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	pb "github.com/vedettehq/vedette/plugins/proto"
)

// Version is the version of the contract, inspector.proto. It is raised when an
// older end could not work with a newer one.
const Version = 1

// Names in the environment of a child. The two descriptors are numbers of open
// files that the child inherits; a plugin may ignore them.
const (
	// EnvLifeline is a pipe that is closed when the agent dies.
	EnvLifeline = "VEDETTE_LIFELINE_FD"
	// EnvRecorder is the file of the flight recorder.
	EnvRecorder = "VEDETTE_RECORDER_FD"
	// EnvLimits is a JSON object with the limits that a script host sets for
	// itself.
	EnvLimits = "VEDETTE_LIMITS"
)

// Label keys of the goroutines that run foreign code. The runtime writes them
// into the trace of a crash, so that the trace names the culprit.
const (
	LabelInspector = "inspector"
	LabelLoading   = "loading"
)

// pluginName is the only thing that is dispensed over a connection.
const pluginName = "inspectors"

// Handshake returns what go-plugin compares before it speaks to a child. It tells
// a program that was started by an agent from one that was started by hand; it is
// not a protection.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{MagicCookieKey: "VEDETTE_PLUGIN", MagicCookieValue: "inspectors"}
}

// Plugins returns the versions of the contract that this end speaks. The
// server is nil on the agent's side.
func Plugins(server pb.InspectorServiceServer) map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{Version: {pluginName: &bridge{server: server}}}
}

// Client returns the contract's client of a connection.
func Client(conn plugin.ClientProtocol) (pb.InspectorServiceClient, error) {
	raw, err := conn.Dispense(pluginName)
	if err != nil {
		return nil, err
	}
	return raw.(pb.InspectorServiceClient), nil // made by bridge below
}

// bridge connects the contract to go-plugin.
type bridge struct {
	plugin.NetRPCUnsupportedPlugin
	server pb.InspectorServiceServer
}

var _ plugin.GRPCPlugin = (*bridge)(nil)

func (b *bridge) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	pb.RegisterInspectorServiceServer(s, b.server)
	return nil
}

func (b *bridge) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return pb.NewInspectorServiceClient(conn), nil
}
