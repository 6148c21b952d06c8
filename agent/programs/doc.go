// Package programs fetches the programs of the plugins that a master pushes. The
// Store downloads them into a folder of the agent's data, and verifies each before
// it may run. Wanted fetches the programs of an assignment in the background, so
// that a slow download delays nothing else.
//
// The protocol calls a program an artefact; see wire.Artefact.
package programs
