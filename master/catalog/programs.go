package catalog

import (
	"context"
	"maps"
	"slices"

	"github.com/vedettehq/vedette/rpc/wire"
)

// programRevisions is the number of revisions of an inspector whose programs are
// kept: the newest ones, also of a deleted inspector. To go back further, their
// programs have to be stored again.
const programRevisions = 10

// Programs returns the checksums of the programs in revisions that hosts run, or
// may go back to.
func (c *Catalog) Programs(ctx context.Context) (map[string]bool, error) {
	c.mu.Lock()
	names, needed := slices.Collect(maps.Keys(c.entries)), c.neededLocked()
	c.mu.Unlock()
	for _, name := range names {
		history, err := c.history(ctx, name)
		if err != nil {
			return nil, err
		}
		newest := make(map[string]bool)
		for _, h := range history {
			if h.Revision != "" && len(newest) < programRevisions {
				newest[h.Revision] = true
			}
		}
		maps.Copy(needed, newest)
	}
	waiting, err := c.proposedPrograms(ctx)
	if err != nil {
		return nil, err
	}
	programs := waiting
	for id := range needed {
		revision, err := c.revision(ctx, id)
		if err != nil {
			return nil, err
		}
		if revision.Plugin == nil {
			continue
		}
		for _, artefact := range revision.Plugin.Artefacts {
			programs[artefact.SHA256] = true
		}
	}
	return programs, nil
}

// proposedPrograms returns the checksums of the programs that wait for a second person.
func (c *Catalog) proposedPrograms(ctx context.Context) (map[string]bool, error) {
	programs := make(map[string]bool)
	stored, err := c.store.List(ctx, proposedPrefix)
	if err != nil {
		return nil, err
	}
	for _, s := range stored {
		var code wire.Code
		if err := decode(s, &code); err != nil {
			return nil, err
		}
		if code.Plugin == nil {
			continue
		}
		for _, artefact := range code.Plugin.Artefacts {
			programs[artefact.SHA256] = true
		}
	}
	return programs, nil
}

// Assigned reports whether a host should run a program now.
func (c *Catalog) Assigned(host, program string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.targets[host]
	if t == nil {
		return false
	}
	names := func(a wire.Artefact) bool { return a.SHA256 == program }
	for _, revision := range t.wants {
		if plugin := c.code[revision].Plugin; plugin != nil && slices.ContainsFunc(slices.Collect(maps.Values(plugin.Artefacts)), names) {
			return true
		}
	}
	return false
}
