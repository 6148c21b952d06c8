package config

import (
	"strings"
	"testing"
)

func TestAddressOfTheMasterSaysHowToWriteIt(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:50777": "write it as http://127.0.0.1:50777",
		"[::1]:50777":     "write it as http://[::1]:50777",
		"localhost:7":     "write it as http://localhost:7",
		"10.0.0.9:50505":  "write it as https://10.0.0.9:50505",
		"master":          "write it as https://master:50505",
		"10.0.0.9:99999":  "write it as https://master:50505",
	} {
		_, err := Load(LoadOptions{Dir: t.TempDir(), Environ: []string{"VEDETTE_MASTER=" + address}, For: PartAgent})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", address, err, want)
		}
	}
}
