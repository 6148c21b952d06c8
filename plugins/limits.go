package plugins

import "encoding/json"

// Limits bound how much a script host may take of its machine. A zero field means
// the default; a negative one sets no limit.
type Limits struct {
	// DataBytes is the most memory that the process may hold (RLIMIT_DATA); beyond
	// it the process dies. Default 256 MiB. A script host needs about 80 MiB of
	// address space before it runs anything.
	DataBytes int64 `json:"data_bytes"`
	// StackBytes is the deepest stack of one goroutine; a deeper one kills the
	// process. Default 64 MiB.
	StackBytes int64 `json:"stack_bytes"`
	// HeapBytes is the size from which the garbage collector works hard
	// (GOMEMLIMIT). Default 96 MiB.
	HeapBytes int64 `json:"heap_bytes"`
	// Files is how many files it may have open (RLIMIT_NOFILE). Default 1024.
	Files int `json:"files"`
	// CPUs is how many processors it uses at a time (GOMAXPROCS). Default 1.
	CPUs int `json:"cpus"`
	// Nice is how far it yields to other processes, 1 to 19. Default 10.
	Nice int `json:"nice"`
	// OOMScoreAdj is how much sooner than other processes the system kills it when
	// memory runs out, 1 to 1000. Default 500.
	OOMScoreAdj int `json:"oom_score_adj"`
}

// DefaultLimits returns the limits of a script host without configured ones.
func DefaultLimits() Limits {
	return Limits{
		DataBytes:   256 << 20,
		StackBytes:  64 << 20,
		HeapBytes:   96 << 20,
		Files:       1024,
		CPUs:        1,
		Nice:        10,
		OOMScoreAdj: 500,
	}
}

// withDefaults fills in the zero fields.
func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	fill(&l.DataBytes, d.DataBytes)
	fill(&l.StackBytes, d.StackBytes)
	fill(&l.HeapBytes, d.HeapBytes)
	fill(&l.Files, d.Files)
	fill(&l.CPUs, d.CPUs)
	fill(&l.Nice, d.Nice)
	fill(&l.OOMScoreAdj, d.OOMScoreAdj)
	return l
}

// forHeap makes room for an inspector that may hold so many bytes of heap. The
// collector needs some in addition, and the limit of data is coarse.
func (l Limits) forHeap(budget int64) Limits {
	if l.HeapBytes > 0 {
		l.HeapBytes = max(l.HeapBytes, budget/2*3)
	}
	if l.DataBytes > 0 {
		l.DataBytes = max(l.DataBytes, budget*2+128<<20)
	}
	return l
}

// hogBytes is how much memory a process with these limits can reach although none
// of its inspectors has taken more than it may; 0 is any amount.
func (l Limits) hogBytes() int64 {
	if l.DataBytes <= 0 {
		return 0
	}
	return l.HeapBytes
}

// encode writes the limits for the environment of a child.
func (l Limits) encode() string {
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // integers only
	}
	return string(text)
}

func fill[T int | int64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}
