package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/library"
	"github.com/vedettehq/vedette/master/backup"
)

func newMasterBackup() *cobra.Command {
	var c remote.Client
	cmd := &cobra.Command{
		Use:   "backup DIR",
		Short: "Back up a running master into a folder",
		Long: `Copy the state, the history and the programs of a running master into a folder, as
they were when the command began. The master goes on working meanwhile.

The next backup into the same folder fetches only new files. An interrupted backup is
resumed, and until it is done the folder stays the previous backup. Every file is
checked, even those that were there already.

A backup holds the same secrets as the master's disk, keys included. Protect it in the
same way.`,
		Example: `  vedette master backup /backup/vedette
  vedette master backup --master https://m:50505 --token-file admin.token ./vedette-backup`,
		Args: cli.OneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error { return runBackup(cmd, &c, args[0]) },
	}
	c.Flags(cmd)
	c.JSONFlag(cmd, "print one JSON object")
	cmd.ValidArgsFunction = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	return cmd
}

func runBackup(cmd *cobra.Command, c *remote.Client, dir string) error {
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	o, err := c.DialOptions(cmd)
	if err != nil {
		return err
	}
	folder, err := backup.OpenFolder(ctx, dir, percents(cmd, "checking what is there"))
	if err != nil {
		return err
	}
	defer folder.Close()
	body, err := json.Marshal(folder.Request())
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = o.TLS
	defer transport.CloseIdleConnections()
	answer, err := askForBackup(ctx, c, &http.Client{Transport: transport}, body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	m, err := folder.Receive(ctx, answer.Body, percents(cmd, "fetching"))
	if err != nil {
		return err
	}
	return tellBackup(cmd, c.JSON, m, "is in", dir)
}

// askForBackup sends the request, and explains an answer that is no backup.
func askForBackup(ctx context.Context, c *remote.Client, client *http.Client, body []byte) (*http.Response, error) {
	address, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	address.Scheme = strings.Replace(address.Scheme, "ws", "http", 1)
	address.Path, address.RawQuery, address.Fragment = "/-/backup", "", ""
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if value := c.Dialed.Header.Get("Authorization"); value != "" {
		request.Header.Set("Authorization", value)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, c.Explain(err)
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 500))
	why := strings.TrimSpace(string(text))
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, c.Refused(why)
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		why = "it is of a version that makes no backups while it runs"
	}
	return nil, cli.Exit(cli.ExitAnswer, fmt.Errorf("the master sends no backup: %s (HTTP %d)", why, answer.StatusCode))
}

func newMasterRestore() *cobra.Command {
	var settings cli.Settings
	var check, asJSON bool
	cmd := &cobra.Command{
		Use:   "restore DIR",
		Short: "Make the folder of a master from a backup",
		Long: `Copy a backup of "vedette master backup" into the folder of a master, which must be
empty, and check every file. The master then starts in the state of the time when the
backup began.

With --check, nothing is copied. Run it as the user of the master, or give the files
to that user afterwards.`,
		Example: `  vedette master restore --check /backup/vedette
  sudo -u vedette vedette master restore --data /var/lib/vedette /backup/vedette`,
		Args: cli.OneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := cli.UntilStopped(cmd)
			defer stop()
			if check {
				m, err := backup.Check(ctx, args[0], percents(cmd, "checking"))
				if err != nil {
					return err
				}
				return tellBackup(cmd, asJSON, m, "is whole, in", args[0])
			}
			c, err := settings.Load(config.PartMaster, library.Names())
			if err != nil {
				return err
			}
			m, err := backup.Restore(ctx, args[0], c.Master.Data, percents(cmd, "restoring"))
			if err != nil {
				return err
			}
			return tellBackup(cmd, asJSON, m, "is restored into", c.Master.Data)
		},
	}
	stateFlags(cmd, &settings)
	cmd.Flags().BoolVar(&check, "check", false, "only check the backup")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.ValidArgsFunction = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	return cmd
}

func tellBackup(cmd *cobra.Command, asJSON bool, m *backup.Manifest, where, dir string) error {
	if asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
			AtMS    int64  `json:"at_ms"`
			Version string `json:"version"`
			Files   int    `json:"files"`
			Bytes   int64  `json:"bytes"`
			Dir     string `json:"dir"`
		}{m.AtMS, m.Version, len(m.Files), m.Bytes(), dir})
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "The backup of %s, %d files with %s, %s %s\n",
		time.UnixMilli(m.AtMS).Format(time.RFC3339), len(m.Files), cli.Bytes(float64(m.Bytes())), where, cli.Printable(dir))
	return err
}

// percents prints how far something is, at each tenth.
func percents(cmd *cobra.Command, what string) backup.Progress {
	told := int64(-1)
	return func(done, total int64) {
		if total == 0 {
			return
		}
		if tenth := done * 10 / total; tenth > told {
			told = tenth
			cli.Errln(cmd.ErrOrStderr(), "%s: %d %% of %s", what, tenth*10, cli.Bytes(float64(total)))
		}
	}
}
