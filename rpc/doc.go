// Package rpc is a symmetric JSON-RPC 2.0 peer over a WebSocket: either end
// calls, notifies and is called. Text frames carry JSON and binary frames carry
// the same messages in CBOR; the subprotocol of the connection says which, and
// one connection never mixes them. PROTOCOL.md specifies the wire.
//
// # One peer, two ways to get it
//
// A [Server] is an http.Handler that turns each accepted request into a [Peer].
// [Dial] makes one Peer by connecting out, and [Client] keeps one connected for
// ever. From then on both ends are alike.
//
// A Peer has two goroutines. The reader decodes frames, delivers answers to waiting
// calls and starts a goroutine for each request, at most Options.MaxInFlight at once,
// after which it stops reading until one returns. The writer alone writes to the
// socket; it sends everything that is queued and flushes when the queue is empty, so a
// burst costs few system calls.
//
// # Slow readers
//
// Messages to be sent wait in a queue that is bounded in messages and in bytes. Calls,
// notifications and answers wait for room, as long as their context lives.
// [Peer.Queued] tells how much waits, for callers that would rather drop something than
// wait.
//
// # What a connection ends with
//
// [Peer.Done] is closed as soon as the connection is down; [Peer.Err] then says
// why and every context of a handler has ended. [Peer.Wait] returns when every
// goroutine of the peer is gone, handlers too.
package rpc
