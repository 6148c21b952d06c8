package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Two builds, in two folders, with other masks, clocks and languages, are the same to
// the byte.
func TestReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes; run: make packages-test")
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not there")
	}
	commit, err := git("../..", "rev-parse", "HEAD") // once: there may be another meanwhile
	if err != nil {
		t.Fatal(err)
	}
	var sums [2][]byte
	for i, with := range [][]string{{"TZ=UTC", "LC_ALL=C", "UMASK=022"}, {"TZ=Asia/Kolkata", "LC_ALL=de_DE.UTF-8", "UMASK=077"}} {
		tree, out := filepath.Join(t.TempDir(), strings.Repeat("deeper/", i), "tree"), t.TempDir()
		cmd := exec.Command("sh", "-ec", `umask $UMASK; mkdir -p "$TREE"; git -C ../.. archive "$COMMIT" | tar -x -C "$TREE"; cd "$TREE/.ci/packages"; go run . -version v1.2.3 -arch "$ARCH" -out "$OUT"`)
		cmd.Env = append(os.Environ(), append(with, "TREE="+tree, "OUT="+out, "COMMIT="+commit, "ARCH="+runtime.GOARCH, "SOURCE_DATE_EPOCH=1796000000")...)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if sums[i], err = os.ReadFile(filepath.Join(out, "SHA256SUMS")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(sums[0], sums[1]) {
		t.Errorf("the checksums of one build are\n%s\nand of the other\n%s", sums[0], sums[1])
	}
	if n := bytes.Count(sums[0], []byte("\n")); n != 18 {
		t.Errorf("%d files were made, want five for each of two programs and four for each of two plugins:\n%s", n, sums[0])
	}
}

// The checksums, the image, the bill of materials and the packages of other systems
// hold what they should.
func TestEverythingThatIsMade(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes; run: make packages-test")
	}
	files := made(t, "-version", "v1.2.3", "-programs", "vedette-agent", "-arch", runtime.GOARCH)
	t.Run("checksums", func(t *testing.T) {
		cmd := exec.Command("sha256sum", "--strict", "-c", "SHA256SUMS")
		cmd.Dir = filepath.Dir(files["vedette-agent.deb"])
		if out, err := cmd.CombinedOutput(); err != nil || bytes.Count(out, []byte(": OK")) != 5 {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("image", func(t *testing.T) { checkImage(t, files["vedette-agent.tar"], files["vedette-agent.json"]) })
	t.Run("apk", func(t *testing.T) { checkApk(t, files["vedette-agent.apk"]) })
	t.Run("rpm", func(t *testing.T) {
		g := newGuest(t, "sleep")
		if _, err := g.try("rpm", "--version"); err != nil {
			t.Skip("rpm is not there; run: apt-get install rpm")
		}
		file := g.put(files["vedette-agent.rpm"])
		g.run("rpm", "-i", "--nodeps", file)
		g.sh("rpm -V vedette-agent")
		g.sh("echo '# mine' >> /etc/vedette/agent.yaml; vedette-agent version | grep -q v1.2.3")
		g.run("rpm", "-U", "--nodeps", "--force", file)
		g.want("tail -n 1 /etc/vedette/agent.yaml", "# mine")
		g.run("rpm", "-e", "vedette-agent")
		g.sh("! test -e /usr/bin/vedette-agent; tail -n 1 /etc/vedette/agent.yaml.rpmsave")
	})
}

// untar reads an archive.
func untar(t *testing.T, r io.Reader) (files map[string][]byte, modes map[string]os.FileMode) {
	t.Helper()
	files, modes = make(map[string][]byte), make(map[string]os.FileMode)
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, modes
		}
		if err == nil && h.Typeflag == tar.TypeReg {
			files[h.Name], err = io.ReadAll(archive)
		}
		if err != nil {
			t.Fatal(err)
		}
		modes[h.Name] = h.FileInfo().Mode()
	}
}

// blobOf is the blob that a descriptor names, whose checksum must be right.
func blobOf(t *testing.T, files map[string][]byte, d descriptor, to any) []byte {
	t.Helper()
	content := files["blobs/sha256/"+strings.TrimPrefix(d.Digest, "sha256:")]
	if int64(len(content)) != d.Size || digest(content) != d.Digest {
		t.Fatalf("the blob %s has %d bytes and the checksum %s", d.Digest, len(content), digest(content))
	}
	if to != nil {
		if err := json.Unmarshal(content, to); err != nil {
			t.Fatal(err)
		}
	}
	return content
}

// checkImage follows an image as what runs it does, and runs its program in its files
// alone. What the program was built of must be in the bill.
func checkImage(t *testing.T, image, bill string) {
	f, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files, _ := untar(t, f)
	var index struct{ Manifests []descriptor }
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	var config struct {
		Architecture string
		Config       struct{ Entrypoint []string }
		RootFS       struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if err := json.Unmarshal(files["index.json"], &index); err != nil || len(index.Manifests) != 1 {
		t.Fatalf("%v: %s", err, files["index.json"])
	}
	blobOf(t, files, index.Manifests[0], &manifest)
	blobOf(t, files, manifest.Config, &config)
	unpacked, err := gzip.NewReader(bytes.NewReader(blobOf(t, files, manifest.Layers[0], nil)))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := io.ReadAll(unpacked)
	if err != nil || len(config.RootFS.DiffIDs) != 1 || digest(layer) != config.RootFS.DiffIDs[0] || config.Architecture != runtime.GOARCH {
		t.Fatalf("the layer has the checksum %s, %v; the configuration is %+v", digest(layer), err, config)
	}
	content, modes := untar(t, bytes.NewReader(layer))
	program := strings.TrimPrefix(config.Config.Entrypoint[0], "/")
	if modes[program].Perm() != 0o755 || modes["var/lib/vedette-agent/"].Perm() != 0o700 {
		t.Errorf("the modes are %v", modes)
	}
	root := t.TempDir()
	binary := filepath.Join(root, "program")
	if err := os.WriteFile(binary, content[program], 0o755); err != nil {
		t.Fatal(err)
	}
	checkBill(t, bill, binary)
	if os.Geteuid() != 0 {
		t.Skip("only root can run it in its own files")
	}
	if out, err := exec.Command("chroot", root, "/program", "version").CombinedOutput(); err != nil || !bytes.HasPrefix(out, []byte("vedette-agent v1.2.3 ")) {
		t.Errorf("it prints %s, %v", out, err)
	}
}

func checkBill(t *testing.T, bill, binary string) {
	text, err := os.ReadFile(bill)
	if err != nil {
		t.Fatal(err)
	}
	var b bom
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]string)
	for _, c := range b.Components {
		listed[c.Name] = c.Version
	}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep.Version = "v1.2.3" // of this repository
		}
		if listed[dep.Path] != dep.Version {
			t.Errorf("the bill has %s %s, the program %s", dep.Path, listed[dep.Path], dep.Version)
		}
	}
	if len(b.Components) != len(info.Deps)+1 || listed["stdlib"] != strings.TrimPrefix(runtime.Version(), "go") {
		t.Errorf("the bill lists %d modules and Go %s; the program has %d", len(b.Components), listed["stdlib"], len(info.Deps))
	}
}

// checkApk reads the parts of a package of Alpine: what it says of itself, and its files.
func checkApk(t *testing.T, file string) {
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(packed) // the parts are one stream
	if err != nil {
		t.Fatal(err)
	}
	files, modes := untar(t, bytes.NewReader(whole))
	if info := string(files[".PKGINFO"]); !strings.Contains(info, "pkgname = vedette-agent\n") || !strings.Contains(info, "pkgver = 1.2.3-r0\n") {
		t.Errorf("it says of itself\n%s", info)
	}
	for name, mode := range map[string]os.FileMode{
		"usr/bin/vedette-agent": 0o755, "etc/vedette/agent.yaml": 0o600, ".post-install": 0o755, ".post-upgrade": 0o755, "etc/init.d/vedette-agent": 0o755,
	} {
		if modes[name].Perm() != mode {
			t.Errorf("%s has the mode %v", name, modes[name])
		}
	}
}
