package live

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/inspectors"

	"github.com/vedettehq/vedette/internal/patience"
)

// most is a bound on the series of a host that no test here meets.
const most = 1000

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func mustPattern(t testing.TB, text string) Pattern {
	t.Helper()
	p, err := ParsePattern(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func next(t testing.TB, sub *Subscription) Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience.Limit)
	defer cancel()
	batch, err := sub.Next(ctx)
	if err != nil {
		t.Fatalf("nothing to read: %v", err)
	}
	return batch
}

func TestSubscriptionGetsWhatMatches(t *testing.T) {
	hub := NewHub()
	load := hub.Intern("web-1", "load/average-1", nil, inspectors.Gauge, most)
	other := hub.Intern("web-2", "load/average-1", nil, inspectors.Gauge, most)
	sub := hub.Subscribe(mustPattern(t, "metrics/web-1/*"), false)
	defer sub.Close()

	hub.Publish([]Sample{{other, Point{1000, 9}}, {load, Point{1000, 0.5}}, {load, Point{2000, 0.6}}})
	got := next(t, sub)
	if len(got.Samples) != 2 || got.Samples[0].V != 0.5 || got.Samples[1].V != 0.6 || got.Lost != 0 {
		t.Errorf("got %+v, want the two samples of web-1", got)
	}
	if load.Path() != "metrics/web-1/load/average-1" {
		t.Errorf("path is %q", load.Path())
	}
}

func TestSubscribeWithLatest(t *testing.T) {
	hub := NewHub()
	labels, _ := inspectors.NewLabels("mount", "/")
	disk := hub.Intern("web-1", "disk/used_percent", labels, inspectors.Gauge, most)
	hub.Intern("web-1", "disk/never", nil, inspectors.Gauge, most) // known, without a value
	hub.Publish([]Sample{{disk, Point{2000, 31}}, {disk, Point{1000, 30}}})

	sub := hub.Subscribe(mustPattern(t, "metrics/*"), true)
	defer sub.Close()
	got := next(t, sub)
	if len(got.Samples) != 1 || got.Samples[0].Series != disk || got.Samples[0].Point != (Point{2000, 31}) {
		t.Errorf("got %+v, want the newest value of the one series that has any", got)
	}
}

func TestInternIsOneSeriesForOneName(t *testing.T) {
	hub := NewHub()
	a, _ := inspectors.NewLabels("mount", "/", "device", "sda")
	b, _ := inspectors.NewLabels("device", "sda", "mount", "/")
	if hub.Intern("h", "disk/x", a, inspectors.Gauge, most) != hub.Intern("h", "disk/x", b, inspectors.Gauge, most) {
		t.Error("the order of labels made two series")
	}
	if hub.Intern("h", "disk/x", nil, inspectors.Gauge, most) == hub.Intern("h", "disk/x", a, inspectors.Gauge, most) {
		t.Error("labels made no difference")
	}
	if n := hub.SeriesCount("h"); n != 2 {
		t.Errorf("%d series, want 2", n)
	}
}

// A reader that does not read loses what does not fit, is told how much, and
// holds up neither the publisher nor another reader.
func TestSlowReaderLosesAndIsTold(t *testing.T) {
	hub := NewHub()
	s := hub.Intern("h", "a/b", nil, inspectors.Gauge, most)
	slow := hub.Subscribe(mustPattern(t, "*"), false)
	defer slow.Close()
	quick := hub.Subscribe(mustPattern(t, "*"), false)
	defer quick.Close()

	const extra = 100
	read := 0
	for i := range MaxBuffered + extra {
		hub.Publish([]Sample{{s, Point{int64(i + 1), float64(i)}}})
		if i%1000 == 0 {
			read += len(next(t, quick).Samples)
		}
	}
	read += len(next(t, quick).Samples)
	if read != MaxBuffered+extra {
		t.Errorf("the quick reader got %d samples, want all %d", read, MaxBuffered+extra)
	}
	got := next(t, slow)
	if len(got.Samples) != MaxBuffered || got.Lost != extra {
		t.Errorf("the slow reader got %d samples and lost %d, want %d and %d", len(got.Samples), got.Lost, MaxBuffered, extra)
	}
	hub.Publish([]Sample{{s, Point{1, 1}}})
	if got := next(t, slow); len(got.Samples) != 1 || got.Lost != 0 {
		t.Errorf("after that it got %d samples and lost %d, want 1 and 0", len(got.Samples), got.Lost)
	}
}

func TestAnnounce(t *testing.T) {
	hub := NewHub()
	sub := hub.Subscribe(mustPattern(t, "hosts/*"), false)
	defer sub.Close()
	hub.Announce("receipts/x", 1)
	hub.Announce("hosts/web-1", "up")
	if got := next(t, sub); len(got.Events) != 1 || got.Events[0] != (Event{"hosts/web-1", "up"}) {
		t.Errorf("got %+v", got.Events)
	}
}

func TestSweepForgetsSilentSeriesAndTakesThemUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := NewHub()
		silent := hub.Intern("h", "a/silent", nil, inspectors.Gauge, most)
		loud := hub.Intern("h", "a/loud", nil, inspectors.Gauge, most)
		hub.Publish([]Sample{{silent, Point{1, 1}}, {loud, Point{1, 1}}})
		time.Sleep(IdleAfter)
		hub.Publish([]Sample{{loud, Point{2, 1}}})
		hub.Sweep(time.Now())
		if n := hub.SeriesCount("h"); n != 1 {
			t.Fatalf("%d series after the sweep, want the loud one", n)
		}

		sub := hub.Subscribe(mustPattern(t, "*"), false)
		defer sub.Close()
		hub.Publish([]Sample{{silent, Point{3, 2}}})
		if n := hub.SeriesCount("h"); n != 2 {
			t.Errorf("%d series after the silent one spoke, want 2", n)
		}
		if got := next(t, sub); len(got.Samples) != 1 || got.Samples[0].Series != silent {
			t.Errorf("got %+v, want the sample of the silent series", got.Samples)
		}
	})
}

// A series that was forgotten while a connection held it, and has come back by
// another connection, is counted once.
func TestForgottenSeriesComesBackTwice(t *testing.T) {
	hub := NewHub()
	held := hub.Intern("h", "a/b", nil, inspectors.Gauge, most)
	hub.Sweep(time.Now().Add(2 * IdleAfter))
	hub.Intern("h", "a/b", nil, inspectors.Gauge, most)
	hub.Publish([]Sample{{held, Point{1, 1}}})
	if n := hub.SeriesCount("h"); n != 1 {
		t.Errorf("%d series, want 1", n)
	}
}

func TestHubUnderConcurrentUse(t *testing.T) {
	hub := NewHub()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				s := hub.Intern(fmt.Sprint("h", g), fmt.Sprint("a/", i%10), nil, inspectors.Gauge, most)
				hub.Publish([]Sample{{s, Point{int64(i + 1), 1}}})
				if i%50 == 0 {
					hub.Sweep(time.Now().Add(2 * IdleAfter))
				}
			}
		})
		wg.Go(func() {
			for range 50 {
				sub := hub.Subscribe(mustPattern(t, "*"), true)
				hub.Announce("hosts/x", 1)
				next(t, sub)
				sub.Close()
			}
		})
	}
	wg.Wait()
}

func BenchmarkPublish(b *testing.B) {
	for _, subscribers := range []int{0, 1, 10} {
		b.Run(fmt.Sprintf("subscribers=%d", subscribers), func(b *testing.B) {
			hub := NewHub()
			samples := make([]Sample, 100)
			for i := range samples {
				samples[i] = Sample{hub.Intern("h", fmt.Sprint("a/", i), nil, inspectors.Gauge, most), Point{1, 1}}
			}
			ctx, cancel := context.WithCancel(context.Background())
			var readers sync.WaitGroup
			for range subscribers {
				sub := hub.Subscribe(mustPattern(b, "*"), false)
				readers.Go(func() {
					defer sub.Close()
					for {
						if _, err := sub.Next(ctx); err != nil {
							return
						}
					}
				})
			}
			for b.Loop() {
				hub.Publish(samples)
			}
			b.ReportMetric(float64(len(samples))*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
			cancel()
			readers.Wait()
		})
	}
}

// A wake-up whose samples went with the batch before makes no separate batch.
func TestNoBatchIsEmpty(t *testing.T) {
	hub := NewHub()
	series := hub.Intern("web-1", "load/average-1", nil, inspectors.Gauge, most)
	sub := hub.Subscribe(mustPattern(t, "metrics/*"), false)
	defer sub.Close()
	const samples = 50_000
	var publishing sync.WaitGroup
	publishing.Go(func() {
		for n := range samples {
			hub.Publish([]Sample{{series, Point{int64(n), 1}}})
		}
	})
	for read := 0; read < samples; {
		batch := next(t, sub)
		if len(batch.Samples)+len(batch.Events) == 0 && batch.Lost == 0 {
			t.Fatalf("an empty batch after %d samples", read)
		}
		read += len(batch.Samples) + int(batch.Lost)
	}
	publishing.Wait()
}

// A watcher of everything is not sent what measuring costs; a page, which draws it
// apart, is.
func TestSubscribersToEverything(t *testing.T) {
	for latest, want := range map[bool]int{true: 2, false: 1} {
		hub := NewHub()
		own := hub.Intern("web-1", "vedette/inspector_success", nil, inspectors.Gauge, most)
		other := hub.Intern("web-1", "load/average-1", nil, inspectors.Gauge, most)
		sub := hub.Subscribe(mustPattern(t, "metrics/*"), latest)
		hub.Publish([]Sample{{own, Point{1, 1}}, {other, Point{1, 1}}})
		if got := len(next(t, sub).Samples); got != want {
			t.Errorf("latest %v: %d samples, want %d", latest, got, want)
		}
		sub.Close()
	}
}
