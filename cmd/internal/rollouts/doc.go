// Package rollouts has the commands about rollouts and the receipts of hosts, and follows
// the rollout of a command that has begun one.
package rollouts
