package script

// applyRules records what the language of inspectors does not have.
func (s *source) applyRules() {
}
