// Package grafana has the command that writes dashboards and provisioning files for
// Grafana, of what a master knows of its series.
package grafana
