// Package assignment makes the inspectors that a master assigns part of what an
// agent runs. An Assigner takes the master's assignment, stores it on the disk,
// decides by the host's own configuration and policy what to run, and has that
// loaded while the old code continues. Receipts say how far each assigned
// inspector got. DESIGN.md, beside this file, gives the rules and their reasons.
package assignment
