package catalog

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/cmd/internal/rollouts"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewProposals makes the command `vedette proposals`.
func NewProposals() *cobra.Command {
	var c client
	l := cli.List[wire.Proposal]{
		Columns: proposalColumns,
		Name:    func(p wire.Proposal) string { return p.ID },
		Empty:   func() string { return "No change waits for a second person." },
	}
	cmd := &cobra.Command{
		Use:   "proposals [PROPOSAL]",
		Short: "List the changes that wait for a second person",
		Long: `List the pushes, deletions and other changes that wait until another person approves
them, because the master wants two persons for them (master.two_persons). With a PROPOSAL,
show one of them as it is: its code compared with the code that is current.`,
		Example: "  vedette proposals\n  vedette proposals 7kq2mxw4ha\n  vedette approve 7kq2mxw4ha",
		Args:    cli.AtMostOneArg("PROPOSAL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return c.showProposal(cmd, args[0], &l.Output)
			}
			return remote.List(&c.Client, cmd, &l, func(s *remote.Session) ([]wire.Proposal, error) {
				result, err := remote.Call(s, wire.ProposalsList, wire.Empty{})
				return result.Proposals, err
			})
		},
	}
	c.Flags(cmd)
	l.Flags(cmd, "print one JSON object a line, one for each change")
	return cmd
}

// proposalColumns are the columns of a table of waiting changes.
func proposalColumns(now time.Time) []cli.Column[wire.Proposal] {
	return []cli.Column[wire.Proposal]{
		{Name: "id", Cell: func(p wire.Proposal) string { return p.ID }},
		{Name: "action", Cell: func(p wire.Proposal) string { return p.Action }},
		{Name: "of", Last: true, Cell: func(p wire.Proposal) string { return p.Subject }},
		cli.ID("revision", func(p wire.Proposal) string { return p.Revision }),
		{Name: "to", Cell: proposalWhere},
		{Name: "by", Cell: func(p wire.Proposal) string { return cli.OrDash(p.Author) + approvedText(p.Approved) }},
		cli.When("when", now, func(p wire.Proposal) int64 { return p.AtMS }),
		{Name: "needs", Cell: func(p wire.Proposal) string { return cli.Counted(p.Missing, "person", "persons") }},
		{Name: "why", Cell: func(p wire.Proposal) string { return cli.OrDash(cli.OneLine(p.Message)) }},
	}
}

// approvedText names those who have approved a change, or is empty.
func approvedText(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (approved by " + strings.Join(names, ", ") + ")"
}

// proposalWhere says which hosts a change is for, or which labels its host gets.
func proposalWhere(p wire.Proposal) string {
	if p.Action != wire.ProposedLabels {
		return remote.SelectorText(p.Selector)
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(p.Labels)) {
		if p.Labels[name] == "" {
			parts = append(parts, name+"-")
		} else {
			parts = append(parts, name+"="+p.Labels[name])
		}
	}
	return strings.Join(parts, " ")
}

// showProposal prints one waiting change.
func (c *client) showProposal(cmd *cobra.Command, id string, o *cli.Output) error {
	if err := o.Check(); err != nil {
		return err
	}
	s, err := c.Open(cmd)
	if err != nil {
		return err
	}
	defer s.Close()
	p, err := remote.Call(s, wire.ProposalsGet, wire.ProposalParams{ID: id})
	if err != nil {
		return err
	}
	if done, err := o.Print(cmd.OutOrStdout(), p); done || err != nil {
		return err
	}
	diff := ""
	if p.Code != nil {
		// The id is computed here, so that nobody approves other code than is shown.
		to := wire.Revision{ID: wire.RevisionOf(*p.Code), Code: *p.Code}
		if to.ID != p.Revision {
			return cli.Exit(cli.ExitAnswer, fmt.Errorf("the master calls revision %s what is %s", cli.ShortID(p.Revision), cli.ShortID(to.ID)))
		}
		from := wire.Revision{}
		if p.Current != "" {
			if from, err = revisionOf(s, p.Subject, p.Current); err != nil {
				return err
			}
		}
		diff = revisionDiff(from, to)
	}
	if _, err := io.WriteString(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable(proposalText(p, time.Now()))); err != nil {
		return err
	}
	_, err = io.WriteString(cmd.OutOrStdout(), coloured(cli.Printable(diff), cli.Colours(cmd.OutOrStdout())))
	return err
}

// proposalText describes a waiting change, without its code.
func proposalText(p wire.Proposal, now time.Time) string {
	var b strings.Builder
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-10s%s\n", name, text)
		}
	}
	row("proposal", p.ID+", by "+p.Author+approvedText(p.Approved))
	what := p.Action + " " + p.Subject
	if p.Revision != "" {
		what += " " + cli.ShortID(p.Revision)
	}
	if p.Action == wire.ProposedLabels {
		what += ": " + proposalWhere(p)
	}
	row("change", what)
	if p.Action != wire.ProposedLabels {
		hosts := cli.Counted(p.Hosts, "host", "hosts")
		if p.Drops > 0 {
			hosts += fmt.Sprintf("; %s it", cli.Counted(p.Drops, "host drops", "hosts drop"))
		}
		row("hosts", remote.SelectorText(p.Selector)+": "+hosts)
	}
	var stages []string
	for _, stage := range p.Plan.Stages {
		stages = append(stages, stage.String())
	}
	row("stages", strings.Join(stages, ","))
	row("why", cli.OneLine(p.Message))
	if len(p.Signers) > 0 {
		row("signed by", strings.Join(p.Signers, ", "))
	}
	row("needs", cli.Counted(p.Missing, "more person", "more persons")+", within "+time.UnixMilli(p.EndsMS).Sub(now).Round(time.Minute).String())
	if p.Why != "" {
		row("approving", "is refused: "+p.Why)
	}
	return b.String()
}

// NewApprove makes the command `vedette approve`.
func NewApprove() *cobra.Command {
	var c client
	var plan rollouts.PlanFlags
	var message string
	cmd := &cobra.Command{
		Use:   "approve PROPOSAL…",
		Short: "Approve changes of somebody else, which are made then",
		Long: `Approve changes that wait for a second person. Each is made at once, and followed onto
its hosts as ` + "`vedette push`" + ` does; the next one follows if it does well. Look at it
first: ` + "`vedette proposals PROPOSAL`" + ` shows the difference. Nothing of a proposal can be changed
while it waits. If somebody else has changed the inspector since, the approval is refused.

Only somebody who has logged in can approve (` + "`vedette login`" + `): no token, and never the
author, by whatever session or token. The exit statuses are those of ` + "`vedette push`" + `.`,
		Example: "  vedette approve 7kq2mxw4ha -m \"read it\"",
		Args:    someIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := plan.Plan(); err != nil {
				return err
			}
			for _, id := range args {
				if err := c.approve(cmd, wire.ProposalParams{ID: id, Message: message}, &plan); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags(cmd)
	plan.WaitFlags(cmd)
	cmd.Flags().StringVarP(&message, "message", "m", "", "why, for the audit log")
	c.JSONFlag(cmd, "print one JSON object a line: the approval, then each change and the end")
	return cmd
}

func someIDs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cli.Usagef("vedette %s needs a PROPOSAL; `vedette proposals` lists them", cmd.Name())
	}
	return nil
}

func (c *client) approve(cmd *cobra.Command, params wire.ProposalParams, f *rollouts.PlanFlags) error {
	result, err := remote.CallOnce(cmd, &c.Client, wire.ProposalsApprove, params)
	if err != nil {
		return err
	}
	if c.JSON {
		err = cli.PrintLines(cmd.OutOrStdout(), []wire.ApproveResult{result})
	} else {
		_, err = io.WriteString(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable(approvalText(result)))
	}
	if err != nil || result.Pushed == nil {
		return err
	}
	return rollouts.Await(cmd, &c.Client, result.Proposal.Subject, *result.Pushed, f)
}

// approvalText says what happens after an approval.
func approvalText(result wire.ApproveResult) string {
	p := result.Proposal
	switch {
	case result.Missing > 0:
		return fmt.Sprintf("%s is approved; %s to approve it, too\n", p.ID, cli.Counted(result.Missing, "more person has", "more persons have"))
	case p.Action == wire.ProposedLabels:
		return fmt.Sprintf("%s has the labels: %s\n", p.Subject, proposalWhere(p))
	case p.Action == wire.ProposedDelete:
		return fmt.Sprintf("%s is deleted; its history is kept: vedette inspector history %s\n", p.Subject, p.Subject)
	}
	return pushedText(p.Subject, *result.Pushed)
}

// NewRefuse makes the command `vedette refuse`.
func NewRefuse() *cobra.Command {
	var c client
	var message string
	cmd := &cobra.Command{
		Use:   "refuse PROPOSAL…",
		Short: "Refuse changes that wait for a second person, or withdraw your own",
		Long: `Refuse changes that wait for a second person. Nothing of them is made, and the audit
log says who has refused them. Their author withdraws them in the same way.`,
		Example: "  vedette refuse 7kq2mxw4ha -m \"it reads all of /var\"",
		Args:    someIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, id := range args {
				p, err := remote.CallOnce(cmd, &c.Client, wire.ProposalsRefuse, wire.ProposalParams{ID: id, Message: message})
				if err != nil {
					return err
				}
				if c.JSON {
					err = cli.PrintLines(cmd.OutOrStdout(), []wire.Proposal{p})
				} else {
					text := fmt.Sprintf("%s is refused: %s of %s by %s\n", p.ID, p.Action, p.Subject, p.Author)
					_, err = io.WriteString(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable(text))
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags(cmd)
	cmd.Flags().StringVarP(&message, "message", "m", "", "why, for the audit log")
	c.JSONFlag(cmd, "print one JSON object a line, one for each change")
	return cmd
}
