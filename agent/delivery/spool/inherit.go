package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// inheritAtOnce is how many records are moved in one transaction.
const inheritAtOnce = 64

// Inherit moves the reports of another folder's store into this one, oldest first,
// and removes that store when it is empty. It returns the number of samples that
// it moved, and ErrClaimed if an agent uses the folder. If the process is killed,
// a report may be in both stores: it keeps its number, so the master takes it
// once. A folder without a store is not an error.
func (s *Store) Inherit(dir string, now time.Time) (samples uint64, err error) {
	path := filepath.Join(dir, FileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	claim, err := OpenClaim(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, claim.Close()) }()
	from, err := Open(path, s.opts)
	if err != nil {
		return 0, err
	}
	for {
		kept, err := from.Next(now, inheritAtOnce)
		if err != nil {
			return samples, err // closing it might never end
		}
		if len(kept) == 0 {
			break
		}
		reports, done := make([]Report, len(kept)), make([]uint64, len(kept))
		for i := range kept {
			reports[i], done[i] = kept[i].Report, kept[i].ID
			samples += uint64(kept[i].Samples())
		}
		if _, ok, err := s.Apply(now, reports, nil); !ok {
			return samples, errors.Join(err, from.Close())
		}
		if _, ok, err := from.Apply(now, nil, done); !ok {
			return samples, err
		}
	}
	left := from.Totals().Reports
	if err := from.Close(); err != nil || left > 0 {
		return samples, err
	}
	if err := os.Remove(path); err != nil {
		return samples, fmt.Errorf("cannot remove the empty spool: %w", err)
	}
	before := claim.Before()
	return samples, claim.Note(Count{Dropped: before.Dropped + before.AtRisk})
}
