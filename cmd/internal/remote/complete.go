package remote

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

// completionTimeout is how long a shell waits for the master when somebody presses Tab,
// unless a timeout is set.
const completionTimeout = 2 * time.Second

// complete completes an argument with names from the master. The word in the usage of the
// command, such as HOST or NAME, says which names. Without a master nothing is proposed.
func (c *Client) complete(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	words := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(cmd.Use))[1:]
	if len(words) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	word := words[min(len(args), len(words)-1)]
	switch {
	case word == "FILE" || word == "DIR":
		return nil, cobra.ShellCompDirectiveDefault
	case len(args) >= len(words) && !strings.Contains(word, "…"):
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.propose(cmd, strings.TrimSuffix(word, "…"), append(args, "")[0], begun), cobra.ShellCompDirectiveNoFileComp
}

// CompleteFlags completes the values of flags in the same way. It must be called after all
// flags of the command were added.
func (c *Client) CompleteFlags(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		word, _ := pflag.UnquoteUsage(f)
		if !slices.Contains([]string{"HOST", "HOSTS", "SELECTOR", "INSPECTOR"}, word) {
			return
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			// In a list, the last element is completed.
			before := begun[:strings.LastIndex(begun, ",")+1]
			list := c.propose(cmd, word, "", strings.TrimPrefix(begun, before))
			for i := range list {
				list[i] = before + list[i]
			}
			return list, cobra.ShellCompDirectiveNoFileComp
		})
	})
}

// propose asks the master for the names that a word stands for. subject is the first
// argument; revisions are those of this inspector.
func (c *Client) propose(cmd *cobra.Command, word, subject, begun string) []string {
	if !cmd.Flags().Changed("timeout") {
		c.Timeout = completionTimeout
	}
	if cmd.Context() == nil {
		cmd.SetContext(context.Background())
	}
	s, err := c.Open(cmd)
	if err != nil {
		return nil
	}
	defer s.Close()
	var all []string
	switch word {
	case "HOST", "HOSTS", "SELECTOR":
		all = s.hostWords(word == "SELECTOR")
	case "NAME", "INSPECTOR":
		all = s.inspectorNames()
	case "REVISION":
		all = s.revisions(subject)
	case "ID":
		all = s.rolloutIDs()
	case "PROPOSAL":
		all = s.proposalIDs()
	case "TOKEN":
		all = s.tokenNames()
	case "USER":
		all = s.userNames()
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(word string) bool { return !strings.HasPrefix(word, begun) })
}

// hostWords lists the names of the hosts, or selectors of one label that some host has.
func (s *Session) hostWords(selectors bool) (all []string) {
	hosts, err := Call(s, wire.HostsList, wire.HostsParams{})
	if err != nil {
		return nil
	}
	for _, h := range hosts.Hosts {
		if !selectors {
			all = append(all, h.Host)
			continue
		}
		for name, value := range h.Labels {
			all = append(all, name+"="+value)
		}
	}
	return all
}

// inspectorNames lists the inspectors that were pushed, and those that run on hosts.
func (s *Session) inspectorNames() (all []string) {
	if catalog, err := Call(s, wire.CatalogList, wire.Empty{}); err == nil {
		for _, entry := range catalog.Inspectors {
			all = append(all, entry.Name)
		}
	}
	if hosts, err := Call(s, wire.HostsList, wire.HostsParams{}); err == nil {
		for _, h := range hosts.Hosts {
			for _, inspector := range h.Inspectors {
				all = append(all, inspector.Name)
			}
		}
	}
	return all
}

func (s *Session) userNames() (all []string) {
	users, err := Call(s, wire.UsersList, wire.Empty{})
	if err != nil {
		return nil
	}
	for _, u := range users.Users {
		all = append(all, u.Name)
	}
	return all
}

func (s *Session) tokenNames() (all []string) {
	tokens, err := Call(s, wire.TokensList, wire.Empty{})
	if err != nil {
		return nil
	}
	for _, t := range tokens.Tokens {
		if t.Source == wire.TokenOfMaster {
			all = append(all, t.Name)
		}
	}
	return all
}

func (s *Session) revisions(inspector string) (all []string) {
	entry, err := Call(s, wire.CatalogGet, wire.CatalogParams{Name: inspector})
	if err != nil {
		return nil
	}
	for _, h := range entry.History {
		if h.Revision != "" {
			all = append(all, cli.ShortID(h.Revision)+"\t"+cli.OneLine(h.Message))
		}
	}
	return all
}

// proposalIDs lists the ids of changes that wait for a second person.
func (s *Session) proposalIDs() (all []string) {
	waiting, err := Call(s, wire.ProposalsList, wire.Empty{})
	if err != nil {
		return nil
	}
	for _, p := range waiting.Proposals {
		all = append(all, p.ID+"\t"+p.Action+" "+p.Subject+" by "+p.Author)
	}
	return all
}

func (s *Session) rolloutIDs() (all []string) {
	rollouts, err := Call(s, wire.RolloutsList, wire.RolloutsParams{Limit: 20})
	if err != nil {
		return nil
	}
	for _, r := range rollouts.Rollouts {
		all = append(all, r.ID+"\t"+r.Inspector+" "+string(r.State))
	}
	return all
}
