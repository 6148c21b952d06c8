// Package grafana has the command that writes dashboards and provisioning files for Grafana
// from the series that a master has.
package grafana
