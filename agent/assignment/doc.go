// Package assignment makes what a master assigns a part of what an agent runs. An
// Assigner takes the master's assignment, keeps it on the disk, decides with the
// host's own configuration and policy what is to run, and has that loaded while the
// old code goes on. Receipts say how far each assigned inspector got. DESIGN.md,
// beside this file, gives the rules and their reasons.
package assignment
