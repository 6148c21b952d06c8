package exposition

import "testing"

func TestStat(t *testing.T) {
	cpu, resident, ok := stat()
	if !ok || cpu < 0 || cpu > 3600 || resident < 1<<20 || resident > 4<<30 {
		t.Errorf("%v s, %v bytes, %v", cpu, resident, ok)
	}
}
