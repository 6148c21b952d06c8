package mesh

import (
	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// stateRefused is the state of a pushed inspector that a host refuses. The agent reports it
// as failing; only the receipt says that it is refused.
const stateRefused wire.InspectorState = "refused"

// markRefused sets that state according to the receipts.
func markRefused(s *remote.Session, hosts []wire.Host) error {
	refused, err := askRefused(s)
	setRefused(hosts, refused)
	return err
}

// askRefused asks for the receipts of refused inspectors. A caller who may not see all
// receipts gets none.
func askRefused(s *remote.Session) ([]wire.HostReceipt, error) {
	catalog, err := remote.Call(s, wire.CatalogList, wire.Empty{})
	if cli.Status(err) == cli.ExitRefused {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var refused []wire.HostReceipt
	for _, e := range catalog.Inspectors {
		if e.Summary.Refused == 0 {
			continue
		}
		result, err := remote.Call(s, wire.CatalogReceipts, wire.CatalogParams{Name: e.Name})
		switch {
		case remote.IsNotFound(err): // it has just been deleted
			continue
		case cli.Status(err) == cli.ExitRefused:
			return nil, nil
		case err != nil:
			return nil, err
		}
		for _, r := range result.Receipts {
			if r.State == wire.ReceiptRefused {
				r.Inspector = e.Name
				refused = append(refused, r)
			}
		}
	}
	return refused, nil
}

// setRefused sets the state of refused inspectors. If the previous code still runs well,
// its state stays.
func setRefused(hosts []wire.Host, refused []wire.HostReceipt) {
	type place struct{ host, inspector string }
	reasons := make(map[place]string)
	for _, r := range refused {
		reasons[place{r.Host, r.Inspector}] = r.Reason
	}
	for _, h := range hosts {
		for k := range h.Inspectors {
			i := &h.Inspectors[k]
			if why, ok := reasons[place{h.Host, i.Name}]; ok && i.State == wire.StateFailing {
				i.State, i.Error = stateRefused, why
			}
		}
	}
}
