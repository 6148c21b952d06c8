package grafana

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
)

// New makes the command `vedette grafana`, with its subcommands.
func New() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "grafana",
		Short:   "Write what Grafana needs to show a master's series and alerts",
		Example: "  vedette grafana export ./grafana",
		Args:    cli.NoArgs,
	}
	cmd.AddCommand(newExport())
	return cmd
}

// export is one run of `vedette grafana export`.
type export struct {
	remote.Client
	url        string // the URL under which Grafana reaches the master
	dashboards string // the folder in which Grafana finds the dashboards
}

func newExport() *cobra.Command {
	e := &export{}
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write dashboards and provisioning files for Grafana",
		Long: `Write a dashboard for each chart of the master into a folder, with panels that fit the
kinds and units of its series, and the provisioning files for Grafana: the data sources
(the master's PromQL, and its alerts and silences as an Alertmanager) and the dashboards.
Every query is tried on the master before it is written. Files of an earlier export are
overwritten.

No token is written. Grafana reads it from its environment variable VEDETTE_TOKEN.`,
		Example: `  vedette grafana export ./grafana
  vedette grafana export /etc/grafana/vedette --url https://master.example:50505`,
		Args: cli.OneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error { return e.run(cmd, args[0]) },
	}
	e.Flags(cmd)
	cmd.Flags().StringVar(&e.url, "url", "", "the `ADDRESS` of the master for Grafana (default: the one that this command uses)")
	cmd.Flags().StringVar(&e.dashboards, "dashboards", "", "the `FOLDER` in which Grafana finds the dashboards (default: dashboards below DIR)")
	return cmd
}

func (e *export) run(cmd *cobra.Command, dir string) error {
	if _, err := e.DialOptions(cmd); err != nil {
		return err
	}
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	address := strings.TrimSuffix(e.url, "/")
	if address == "" {
		own, err := e.HTTPAddress("")
		if err != nil {
			return err
		}
		address = strings.TrimSuffix(own, "/")
	}
	if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return cli.Usagef("--url %q is not the address of a master; write it as https://master.example:50505", e.url)
	}
	folder, err := filepath.Abs(filepath.Join(dir, "dashboards"))
	if err != nil {
		return fmt.Errorf("cannot find the folder %q: %w", dir, err)
	}
	if e.dashboards == "" {
		e.dashboards = folder
	}
	metrics, err := e.metrics(ctx)
	if err != nil {
		return err
	}
	boards := boardsOf(metrics)
	if err := e.check(ctx, boards); err != nil {
		return err
	}
	files := map[string][]byte{
		"provisioning/datasources/vedette.yaml": dataSources(address),
		"provisioning/dashboards/vedette.yaml":  provider(e.dashboards),
	}
	for _, board := range boards {
		text, err := json.MarshalIndent(board, "", "  ")
		if err != nil {
			return fmt.Errorf("cannot write the dashboard %q: %w", board.Title, err)
		}
		files["dashboards/"+board.UID+".json"] = append(text, '\n')
	}
	if err := write(dir, files); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cli.ToTerminal(cmd.OutOrStdout()), "%s and the files for provisioning are in %s. Set VEDETTE_TOKEN for Grafana, and copy provisioning to its own.\n",
		cli.Counted(len(boards), "dashboard", "dashboards"), dir)
	return err
}

// write writes the files below a folder.
func write(dir string, files map[string][]byte) error {
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("cannot make the folder of %q: %w", path, err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return fmt.Errorf("cannot write %q: %w", path, err)
		}
	}
	return nil
}

// metric is a metric of the master.
type metric struct {
	name, key        string
	kind, help, unit string
	labels           []string // labels other than host and key
}

// metrics asks the master for the metrics of its hosts.
func (e *export) metrics(ctx context.Context) ([]metric, error) {
	found, _, err := e.Query(ctx, "query", url.Values{"query": {`group by (__name__, key) ({key!="",host!=""})`}})
	if err != nil {
		return nil, err
	}
	var about map[string][]struct{ Type, Help, Unit string }
	if _, err := e.HTTPGet(ctx, "metadata", nil, &about); err != nil {
		return nil, err
	}
	var list []metric
	for _, s := range found {
		m := metric{name: s.Metric["__name__"], key: s.Metric["key"]}
		if known := about[m.name]; len(known) > 0 {
			m.kind, m.help, m.unit = known[0].Type, known[0].Help, known[0].Unit
		}
		if _, err := e.HTTPGet(ctx, "labels", url.Values{"match[]": {m.selector("")}}, &m.labels); err != nil {
			return nil, err
		}
		m.labels = slices.DeleteFunc(m.labels, func(name string) bool { return slices.Contains([]string{"__name__", "host", "key"}, name) })
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b metric) int { return strings.Compare(a.key, b.key) })
	if len(list) == 0 {
		return nil, cli.Exit(cli.ExitAnswer, fmt.Errorf("the master has no series of a host yet, so there is nothing to draw; let agents report first"))
	}
	return list, nil
}

// check sends every query to the master, as Grafana would.
func (e *export) check(ctx context.Context, boards []dashboard) error {
	filled := strings.NewReplacer("$__rate_interval", "1m", "$host", ".*")
	for _, board := range boards {
		for _, v := range board.Templating.List {
			var hosts []string
			if _, err := e.HTTPGet(ctx, "label/host/values", url.Values{"match[]": {selectorIn(v.Query)}}, &hosts); err != nil {
				return fmt.Errorf("cannot use the query %q of the dashboard %q: %w", v.Query, board.Title, err)
			}
			if len(hosts) == 0 {
				return fmt.Errorf("cannot use the query %q of the dashboard %q: it finds no host", v.Query, board.Title)
			}
		}
		queries := []string{board.Annotations.List[0].Expr}
		for _, p := range board.Panels {
			for _, t := range p.Targets {
				queries = append(queries, t.Expr)
			}
		}
		for _, query := range queries {
			if _, _, err := e.Query(ctx, "query", url.Values{"query": {filled.Replace(query)}}); err != nil {
				return fmt.Errorf("cannot use the query %q of the dashboard %q: %w", query, board.Title, err)
			}
		}
	}
	return nil
}
