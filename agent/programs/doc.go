// Package programs fetches the programs of the plugins that a master pushes. The
// Store downloads them and keeps them in a folder of the agent's data, each
// verified before it may run. Wanted has those that an assignment names fetched
// in the background, so that a slow download holds up nothing else.
//
// The protocol calls a program an artefact; see wire.Artefact.
package programs
