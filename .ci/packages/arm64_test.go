package main

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is made for arm64 says so everywhere, and holds programs for it.
func TestPackagesForArm64(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes; run: make packages-test")
	}
	files := made(t, "-version", "v1.2.3", "-programs", "vedette-agent", "-arch", "arm64")
	isForArm := func(what string, program []byte) {
		t.Helper()
		f, err := elf.NewFile(bytes.NewReader(program))
		if err != nil || f.Machine != elf.EM_AARCH64 {
			t.Errorf("the program of %s is not one for arm64: %v", what, err)
		}
	}
	says := func(want string, command string, args ...string) {
		t.Helper()
		if _, err := exec.LookPath(command); err != nil {
			t.Logf("%s is not there", command)
			return
		}
		if out, err := exec.Command(command, args...).CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s %v prints %q, %v; want %q", command, args, out, err, want)
		}
	}
	says("arm64", "dpkg-deb", "-f", files["vedette-agent.deb"], "Architecture")
	says("aarch64", "rpm", "-qp", "--qf", "%{ARCH}", files["vedette-agent.rpm"])
	if unpacked := t.TempDir(); exec.Command("dpkg-deb", "-x", files["vedette-agent.deb"], unpacked).Run() == nil {
		program, err := os.ReadFile(filepath.Join(unpacked, "usr/bin/vedette-agent"))
		if err != nil {
			t.Fatal(err)
		}
		isForArm("the package for Debian", program)
	}
	content, err := os.ReadFile(files["vedette-agent.apk"])
	if err != nil {
		t.Fatal(err)
	}
	packed, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	parts, _ := untar(t, packed)
	if !strings.Contains(string(parts[".PKGINFO"]), "arch = aarch64\n") {
		t.Errorf("the package for Alpine says\n%s", parts[".PKGINFO"])
	}
	isForArm("the package for Alpine", parts["usr/bin/vedette-agent"])
	f, err := os.Open(files["vedette-agent.tar"])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	image, _ := untar(t, f)
	var index struct{ Manifests []descriptor }
	if err := json.Unmarshal(image["index.json"], &index); err != nil || len(index.Manifests) != 1 || index.Manifests[0].Platform["architecture"] != "arm64" {
		t.Errorf("the image is for %s, %v", image["index.json"], err)
	}
}
