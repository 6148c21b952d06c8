package server

import (
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/vedettehq/vedette/plugins/internal/link"
)

// bufferBytes is the size of the buffers of a connection: messages are small.
const bufferBytes = 8 << 10

// Serve serves one agent over go-plugin, and returns when the agent closes the
// connection. It takes over standard output. prepare is called when the socket is
// open and before the agent learns of it, and is where limits are set.
func Serve(s *Server, prepare func()) {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  link.Handshake(),
		VersionedPlugins: link.Plugins(s),
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			prepare()
			return grpc.NewServer(append(options,
				grpc.ReadBufferSize(bufferBytes),
				grpc.WriteBufferSize(bufferBytes))...)
		},
		Logger: hclog.NewNullLogger(),
	})
}
