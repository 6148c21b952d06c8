package audit

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc/wire"
)

// After returns the oldest entries of the log in a state that follow a number, up
// to a limit.
func After(ctx context.Context, store state.Store, seq uint64, limit int) ([]wire.AuditEntry, error) {
	var entries []wire.AuditEntry
	for record, err := range store.Scan(ctx, LogName, seq+1) {
		if err != nil {
			return nil, fmt.Errorf("cannot read the audit log: %w", err)
		}
		var entry wire.AuditEntry
		if err := json.Unmarshal(record.Value, &entry); err != nil {
			// Its number is sent in any case: damage to a line is news.
			entry = wire.AuditEntry{Who: Master, Role: Master, Action: "audit.damaged", Outcome: "the entry was changed: it is not an entry"}
		}
		entry.Seq = record.Seq
		if entries = append(entries, entry); len(entries) == limit {
			break
		}
	}
	return entries, nil
}

// Newest returns the number of the newest entry of the log in a state, or 0.
func Newest(ctx context.Context, store state.Store) (uint64, error) {
	for record, err := range store.ScanBack(ctx, LogName, 0) {
		if err != nil {
			return 0, fmt.Errorf("cannot read the audit log: %w", err)
		}
		return record.Seq, nil
	}
	return 0, nil
}
