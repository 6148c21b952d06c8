package rpc

import (
	"log/slog"
	"time"
)

// Subprotocols of the WebSocket. A client that asks for none speaks JSON.
const (
	SubprotocolCBOR = "vedette.v1.cbor" // binary frames
	SubprotocolJSON = "vedette.v1.json" // text frames
)

// DefaultPath is where Dial connects to when its URL names no path.
const DefaultPath = "/rpc"

// Limits of one message, in both codecs.
const (
	maxBatch    = 100     // requests in a batch
	maxDepth    = 32      // arrays and objects within each other
	maxElements = 131_072 // of one array or members of one object
)

// closeGrace is how long a closed peer has to take what is queued for it and to
// send its own close frame.
const closeGrace = 3 * time.Second

// Options are the limits of one connection. Zero values stand for the defaults.
type Options struct {
	MaxFrameBytes int64         // of a message, sent or received, uncompressed; 4 MiB
	QueueMessages int           // waiting to be sent; 1024
	QueueBytes    int64         // waiting to be sent; 4 MiB
	MaxInFlight   int           // requests being handled at once; 64
	PingInterval  time.Duration // 5 s
	PongTimeout   time.Duration // dead after so long without a byte received; 15 s
	WriteTimeout  time.Duration // of 64 KiB into the socket; 10 s
	Compression   bool          // offer and accept permessage-deflate (RFC 7692)
	Log           *slog.Logger  // nil is silent
}

func (o Options) withDefaults() Options {
	if o.MaxFrameBytes <= 0 {
		o.MaxFrameBytes = 4 << 20
	}
	if o.QueueMessages <= 0 {
		o.QueueMessages = 1024
	}
	if o.QueueBytes <= 0 {
		o.QueueBytes = 4 << 20
	}
	if o.MaxInFlight <= 0 {
		o.MaxInFlight = 64
	}
	if o.PingInterval <= 0 {
		o.PingInterval = 5 * time.Second
	}
	if o.PongTimeout <= 0 {
		o.PongTimeout = 15 * time.Second
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
