// Package assignment makes what a master assigns a part of what an agent runs. An
// Assigner takes the master's assignment, keeps it on the disk, decides with the
// host's own configuration and policy what is to run, and has that loaded while the
// old code goes on. Receipts say how far each assigned inspector got. agent/DESIGN.md
// has the rules.
package assignment
