// Command alerts measures how long it takes from a change of a value until a webhook is
// told of it: by an agent and a master, and at the same time by Debian's Prometheus and
// Alertmanager. Both scrape the same exporter, evaluate the same file of rules as often,
// and tell as the same configuration of Alertmanager says.
//
//	sudo apt-get install prometheus prometheus-alertmanager
//	go run ./bench/alerts
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

func main() {
	o := options{}
	flag.IntVar(&o.series, "series", 40, "how many values change")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each goes up and down")
	flag.DurationVar(&o.interval, "interval", time.Second, "the interval of scrapes and of rules")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "alerts:", err)
		os.Exit(1)
	}
}

// options are what is measured.
type options struct {
	series, rounds int
	interval       time.Duration
}

// patience bounds the wait for one message.
const patience = 5 * time.Minute

func run(o options) error {
	dir, err := os.MkdirTemp("", "vedette-alerts-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bed := newBed(o)
	defer bed.server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	stop, err := startAll(ctx, dir, o, bed.server.URL)
	defer func() {
		cancel()
		stop()
	}()
	if err != nil {
		return err
	}
	// A first change tells when everything is up.
	warm := fmt.Sprint(o.series)
	bed.set(warm, high)
	if err := bed.await(warm, firing, nil); err != nil {
		return err
	}
	var all sync.WaitGroup
	faults := make([]error, o.series)
	for i := range o.series {
		all.Go(func() { faults[i] = bed.change(fmt.Sprint(i), o) })
	}
	all.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	bed.print()
	return nil
}

// change has one value go up and down, at random times.
func (b *bed) change(id string, o options) error {
	for range o.rounds {
		for _, to := range []struct {
			value float64
			state string
		}{{high, firing}, {low, resolved}} {
			time.Sleep(o.interval + rand.N(3*o.interval))
			at := b.set(id, to.value)
			if err := b.await(id, to.state, &at); err != nil {
				return err
			}
		}
	}
	return nil
}

// print prints the table.
func (b *bed) print() {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "from a change to the webhook\tmessage\tchanges\tp50\tp90\tp99\tlongest\t")
	for _, who := range systems() {
		for _, state := range []string{firing, resolved} {
			list := b.took[who+" "+state]
			slices.Sort(list)
			at := func(p float64) time.Duration {
				return list[min(len(list)-1, int(p*float64(len(list))))].Round(10 * time.Millisecond)
			}
			fmt.Fprintf(out, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t\n", who, state, len(list), at(0.5), at(0.9), at(0.99), at(1))
		}
	}
	_ = out.Flush()
}
