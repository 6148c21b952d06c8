package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/wholefile"
	"github.com/vedettehq/vedette/rpc"
)

// contextsFile is the file, in the folder of the user's configuration, in which `vedette
// login` keeps tokens. Only its user may read it.
const contextsFile = "vedette/contexts.json"

// Context is a master that somebody has logged in to.
type Context struct {
	URL    string `json:"url"`
	Token  string `json:"token"`
	CA     string `json:"ca,omitempty"` // PEM of the authorities to trust, or "" for those of the system
	User   string `json:"user"`
	Role   string `json:"role"`
	EndsMS int64  `json:"ends_ms,omitempty"` // when the token ends; 0 is never
}

// Contexts are all masters that somebody has logged in to, by names that they chose.
type Contexts struct {
	Current string             `json:"current,omitempty"`
	All     map[string]Context `json:"contexts"`

	file     string
	noFolder error // why no file can be used, or nil
}

// LoadContexts reads the file. Without a file there are no contexts, nor are there any for
// a user without a folder of configurations, such as that of a service.
func LoadContexts() (*Contexts, error) {
	c := &Contexts{All: make(map[string]Context)}
	folder, err := os.UserConfigDir()
	if err != nil {
		c.noFolder = err
		return c, nil
	}
	c.file = filepath.Join(folder, contextsFile)
	info, err := os.Stat(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the contexts: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("cannot use the contexts in %q: others can read the tokens there; chmod 600 it, then log in again", c.file)
	}
	text, err := os.ReadFile(c.file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the contexts: %w", err)
	}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("cannot read the contexts in %q: %w; remove the file, then log in again", c.file, err)
	}
	if c.All == nil {
		c.All = make(map[string]Context)
	}
	return c, nil
}

// Kept returns why contexts cannot be stored, or nil.
func (c *Contexts) Kept() error {
	if c.noFolder != nil {
		return fmt.Errorf("cannot find the folder of your configuration: %w", c.noFolder)
	}
	return nil
}

// Save writes all contexts or, on error, nothing; only the user may read them.
func (c *Contexts) Save() error {
	if err := c.Kept(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot write the contexts: %w", err)
	}
	if err := wholefile.Write(c.file, string(text)+"\n"); err != nil {
		return fmt.Errorf("cannot write the contexts in %q: %w", c.file, err)
	}
	return nil
}

// Names returns all names in order.
func (c *Contexts) Names() []string { return slices.Sorted(maps.Keys(c.All)) }

// ended reports whether the token of a context has expired.
func (x *Context) ended(now time.Time) bool { return x.EndsMS != 0 && now.UnixMilli() >= x.EndsMS }

// Ended reports whether the token of a context has expired.
func (x *Context) Ended() bool { return x.ended(time.Now()) }

// SameMaster reports whether two addresses belong to one master.
func SameMaster(a, b string) bool {
	return strings.TrimRight(a, "/") == strings.TrimRight(b, "/")
}

// useContext takes the master and token of a context if no token is given otherwise: those
// of the current context if no master is given, or else of the context with the given
// master. So a token only goes to the master that issued it.
func (c *Client) useContext(cfg *config.Config, o *rpc.DialOptions) error {
	if c.hasToken || c.NoContext {
		return nil
	}
	contexts, err := LoadContexts()
	if err != nil {
		return err
	}
	name := contexts.Current
	if cfg.Origin("agent.master").Given() {
		name = ""
		for _, other := range contexts.Names() {
			if SameMaster(contexts.All[other].URL, c.URL) && (name == "" || other == contexts.Current) {
				name = other
			}
		}
	}
	x, ok := contexts.All[name]
	if !ok {
		return nil
	}
	if x.Ended() {
		return fmt.Errorf("the log-in of the context %q at %s has ended; log in again with: vedette login %s", name, x.URL, x.URL)
	}
	c.URL, c.hasToken, c.context = x.URL, true, name
	o.Header = http.Header{"Authorization": {"Bearer " + x.Token}}
	if x.CA != "" && cfg.Agent.CA == "" {
		o.TLS, err = rpc.TrustPEM([]byte(x.CA))
	}
	return err
}
