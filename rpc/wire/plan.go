package wire

// Ended reports whether nothing more will happen in the rollout.
func (r Rollout) Ended() bool { return r.State != RolloutRunning && r.State != RolloutPaused }
