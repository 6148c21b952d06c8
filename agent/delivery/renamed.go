package delivery

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/vedettehq/vedette/agent/delivery/spool"
	"github.com/vedettehq/vedette/internal/wholefile"
)

// namedFile is the name, in the agent's data folder, of the file that records the
// name under which the agent of the folder reports, and who gave that name.
const namedFile = "named.json"

// named is the content of the file.
type named struct {
	Host string `json:"host"`
	By   string `json:"by"` // as Deps.HostBy; "" if unknown
}

// Inherit takes over the reports in earlier folders of this agent. By default a
// data folder is named after its host: when the name changes, reports that the
// master did not have yet are in the folder of the old name, and nobody would ever
// send them. A folder belongs to the same agent if both names came from the same
// place, the machine or one file, and no agent uses the folder.
func (k *Spooler) Inherit(host, by string) {
	if filepath.Base(k.cfg.Data) != host || k.store == nil || k.reason != "" {
		return
	}
	own := named{Host: host, By: by}
	if text, err := json.Marshal(own); err == nil {
		if err := wholefile.Write(filepath.Join(k.cfg.Data, namedFile), string(text)+"\n"); err != nil {
			k.log.Warn("cannot note who named this agent; its reports are not found when its name changes", "reason", err)
		}
	}
	if by == "" {
		return
	}
	parent := filepath.Dir(k.cfg.Data)
	entries, err := os.ReadDir(parent)
	if err != nil {
		return // there is no other
	}
	for _, entry := range entries {
		dir := filepath.Join(parent, entry.Name())
		text, err := os.ReadFile(filepath.Join(dir, namedFile))
		var other named
		if err != nil || json.Unmarshal(text, &other) != nil || other.Host != entry.Name() || other.Host == host || other.By != by {
			continue
		}
		k.inheritFrom(dir, other.Host)
	}
}

func (k *Spooler) inheritFrom(dir, host string) {
	samples, err := k.store.Inherit(dir, time.Now())
	if samples > 0 {
		k.log.Info("the name of this host has changed; what the agent of the old name did not send is sent as of the new one", "was", host, "samples", samples)
	}
	if err != nil && !errors.Is(err, spool.ErrClaimed) {
		k.log.Warn("reports from before this host's name changed are not sent", "was", host, "folder", dir, "reason", err)
	}
	k.o.inherited(k.store.Totals())
}
