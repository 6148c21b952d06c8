package own

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// node is a value that refers to others in every way there is.
type node struct {
	Next   *node
	List   []*node
	Map    map[string]*node
	Bytes  []byte
	Pair   [2]*node
	Value  any
	Where  *time.Location
	hidden int
}

// graph makes nodes that refer to each other as nobody chose.
func graph(random *rand.Rand) []*node {
	nodes := make([]*node, 1+random.IntN(12))
	for i := range nodes {
		nodes[i] = &node{hidden: i, Where: time.Local}
	}
	some := func() *node {
		if random.IntN(4) == 0 {
			return nil
		}
		return nodes[random.IntN(len(nodes))]
	}
	shared := []byte{1, 2, 3}
	for _, n := range nodes {
		n.Next, n.Pair, n.Bytes = some(), [2]*node{some(), some()}, shared
		for range random.IntN(3) {
			n.List = append(n.List, some())
		}
		if random.IntN(2) == 0 {
			n.Map = map[string]*node{"a": some(), "b": some()}
		}
	}
	return nodes
}

// TestCopiesOfGraphs checks that copies are alike, share nothing with their originals, and
// point to one place where the originals do.
func TestCopiesOfGraphs(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for range 500 {
		theirs := graph(random)
		c := new(Copies)
		mine := make([]*node, len(theirs))
		for i := range theirs { // one after the other, as the variables of a package
			mine[i] = c.Variable(reflect.ValueOf(&theirs[i]).Elem()).Interface().(*node)
		}
		if !reflect.DeepEqual(mine, theirs) {
			t.Fatal("the copies are not alike")
		}
		isTheirs := make(map[*node]bool)
		of := make(map[*node]*node)
		for i := range theirs {
			isTheirs[theirs[i]], of[theirs[i]] = true, mine[i]
		}
		same := func(a, b *node) {
			if isTheirs[b] || of[a] != b {
				t.Fatalf("a pointer of a copy leads to %p, want %p", b, of[a])
			}
		}
		for i, n := range theirs {
			m := mine[i]
			same(n.Next, m.Next)
			same(n.Pair[0], m.Pair[0])
			for j := range n.List {
				same(n.List[j], m.List[j])
			}
			for key := range n.Map {
				same(n.Map[key], m.Map[key])
			}
			if &m.Bytes[0] == &n.Bytes[0] || &m.Bytes[0] != &mine[0].Bytes[0] {
				t.Fatal("the bytes are those of the original, or not those of the other copies")
			}
			if m.Where != time.Local {
				t.Fatal("a location is copied")
			}
		}
	}
}
