package link

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/vedettehq/vedette/inspectors"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRecorder(t *testing.T) {
	r, err := NewRecorder()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if busy, used, err := r.Read(); used || len(busy) != 0 || err != nil {
		t.Errorf("a new recorder: %v, used %v, %v", busy, used, err)
	}
	m, err := mapMarker(r.File())
	if err != nil {
		t.Fatal(err)
	}
	m.Mark(0, Running)
	m.Mark(1, Running)
	m.Mark(1, Idle)
	m.Mark(7, Lingering)
	m.Mark(Slots-1, Loading)
	m.Mark(Slots, Running) // beyond the end
	busy, used, err := r.Read()
	want := map[uint32]SlotState{0: Running, 7: Lingering, Slots - 1: Loading}
	if err != nil || !used || !reflect.DeepEqual(busy, want) {
		t.Errorf("Read() = %v, used %v, %v; want %v", busy, used, err, want)
	}
	var none *Marker
	none.Mark(1, Running) // records nothing
}

// A child cannot make the agent fail by cutting the file that they share.
func TestRecorderCannotBeCut(t *testing.T) {
	r, err := NewRecorder()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_ = r.File().Truncate(0) // the kernel refuses it where it can
	if _, _, err := r.Read(); err != nil {
		t.Errorf("Read: %v", err)
	}
}

func TestInheritedFiles(t *testing.T) {
	for value, say := range map[string]string{"x": "not the number", "-1": "not the number", "60000": "bad file descriptor"} {
		t.Setenv(EnvRecorder, value)
		if _, err := OpenMarker(); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%s=%s: %v, want an error that says %q", EnvRecorder, value, err, say)
		}
	}
	if err := os.Unsetenv(EnvRecorder); err != nil {
		t.Fatal(err)
	}
	if m, err := OpenMarker(); m != nil || err != nil {
		t.Errorf("without a recorder: %v, %v", m, err)
	}
}

func TestSamplesRoundTrip(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_123)
	r := inspectors.NewReport("disk/usage", start)
	r.Gauge("", 1)
	r.Gauge("used_percent", 31.5, "mount", "/", "device", "sda")
	r.Counter("reads_total", 1e15)
	r.Gauge("free/deep", -0.25, "mount", "/ü")
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	wire, err := proto.Marshal(EncodeSamples("disk/usage", r.Samples()))
	if err != nil {
		t.Fatal(err)
	}
	var back pb.Samples
	if err := proto.Unmarshal(wire, &back); err != nil {
		t.Fatal(err)
	}
	got, err := DecodeSamples("disk/usage", start, &back, nil)
	if err != nil || !reflect.DeepEqual(got, r.Samples()) {
		t.Errorf("DecodeSamples = %+v, %v; want %+v", got, err, r.Samples())
	}
	if EncodeSamples("x", nil) != nil {
		t.Error("no samples are encoded as something")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		in   *pb.Samples
		keep int
		say  string
	}{
		"values short": {&pb.Samples{Names: []string{"a", "b"}, Values: []float64{1}}, 0, "do not fit together"},
		"kinds long":   {&pb.Samples{Names: []string{"a"}, Values: []float64{1}, Kinds: make([]pb.Kind, 2)}, 0, "do not fit together"},
		"labels short": {&pb.Samples{Names: []string{"a", "b"}, Values: []float64{1, 2}, LabelCounts: []uint32{0, 1 << 31}}, 1, "more labels are counted"},
		"labels long":  {&pb.Samples{Names: []string{"a"}, Values: []float64{1}, Labels: []string{"a", "b"}}, 1, "belong to no sample"},
		"markup":       {&pb.Samples{Names: []string{"<b>", "b"}, Values: []float64{1, 2}}, 1, "not allowed"},
		"twice":        {&pb.Samples{Names: []string{"a", "a"}, Values: []float64{1, 2}}, 1, "given twice"},
		"label name": {&pb.Samples{
			Names: []string{"a"}, Values: []float64{1}, LabelCounts: []uint32{1}, Labels: []string{"host", "other"},
		}, 0, "set by the master"},
	} {
		got, err := DecodeSamples("x", time.Now(), tt.in, nil)
		if err == nil || !strings.Contains(err.Error(), tt.say) || len(got) != tt.keep {
			t.Errorf("%s: %d samples, %v; want %d and an error that says %q", name, len(got), err, tt.keep, tt.say)
		}
	}
}

// Whatever a child sends: no crash, and nothing that breaks the rules.
func FuzzDecodeSamples(f *testing.F) {
	seed, err := proto.Marshal(&pb.Samples{
		Names: []string{"a", ""}, Values: []float64{1, 2}, Kinds: []pb.Kind{0, 1},
		LabelCounts: []uint32{1, 0}, Labels: []string{"mount", "/"},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		var in pb.Samples
		if proto.Unmarshal(data, &in) != nil {
			return
		}
		samples, _ := DecodeSamples("chart/item", time.Now(), &in, nil)
		for _, s := range samples {
			if err := inspectors.ValidateKey(s.Key); err != nil || !strings.HasPrefix(s.Key, "chart/item") {
				t.Errorf("key %q: %v", s.Key, err)
			}
			if err := s.Labels.Validate(); err != nil {
				t.Error(err)
			}
			if s.Value != s.Value || s.Value-s.Value != 0 {
				t.Errorf("value %v", s.Value)
			}
		}
	})
}

// What a report has made of the values of labels arrives as it is, whatever they were
// and however often it is handed on.
func FuzzLabelsArrive(f *testing.F) {
	for _, s := range []string{"/", "a <b>", `\x3c`, "\xff", `C:\x`, "é\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if len(value) > inspectors.MaxLabelValueBytes/4 {
			t.Skip("too long when escaped")
		}
		now := time.Now()
		r := inspectors.NewReport("x", now)
		r.Gauge("v", 1, "l", value)
		want := r.Samples()
		if len(want) != 1 {
			t.Fatal(r.Err())
		}
		for range 3 {
			got, err := DecodeSamples("x", now, EncodeSamples("x", want), nil)
			if err != nil || len(got) != 1 || got[0].Labels.String() != want[0].Labels.String() {
				t.Fatalf("%v has become %v, %v", want, got, err)
			}
			want = got
		}
	})
}
