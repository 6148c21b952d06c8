package config

// TargetGroup is an entry of a file of targets, in the form of Prometheus'
// file_sd_configs.
type TargetGroup struct {
	// Targets are addresses such as web-1:9100.
	Targets []string `yaml:"targets"`
	// Labels are added to every series of these targets.
	Labels map[string]string `yaml:"labels"`
}

// ReadTargets reads a file of targets, in YAML or JSON. The error has every fault, with
// its place.
func ReadTargets(file string) ([]TargetGroup, error) {
	var groups []TargetGroup
	_, err := ReadDocument(file, &groups)
	return groups, err
}
