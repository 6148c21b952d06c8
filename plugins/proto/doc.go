// Package proto is the gRPC contract between the agent and the processes that
// measure, generated from inspector.proto. PROTOCOL.md tells what an author in
// another language has to do.
package proto

//go:generate go run ../internal/protogen
