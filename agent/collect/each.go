package collect

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// atOnce is how many targets of one inspector are asked at once.
const atOnce = 10

// maxToldTargets is how many failing targets an error names.
const maxToldTargets = 3

// each asks all targets, some of them at once, and joins their errors. If there are more
// than can be asked at once, each has its share of the time, because those that hang must
// not keep others from being asked.
func each(ctx context.Context, targets int, ask func(ctx context.Context, i int) error) error {
	failed := make([]error, targets)
	places := make(chan struct{}, atOnce)
	rounds := (targets + atOnce - 1) / atOnce
	share := time.Hour
	if deadline, ok := ctx.Deadline(); ok && rounds > 0 {
		share = time.Until(deadline) / time.Duration(rounds)
	}
	var wg sync.WaitGroup
	for i := range targets {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			own, cancel := context.WithTimeout(ctx, share)
			defer cancel()
			failed[i] = ask(own, i)
		})
	}
	wg.Wait()
	var faults []error
	told := 0
	for _, err := range failed {
		if err == nil {
			continue
		}
		if told++; told <= maxToldTargets {
			faults = append(faults, err)
		}
	}
	if told > maxToldTargets {
		faults = append(faults, fmt.Errorf("and %d more of %d targets", told-maxToldTargets, targets))
	}
	return errors.Join(faults...)
}
