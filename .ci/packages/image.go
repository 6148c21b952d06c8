package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// An image is an archive of an OCI layout: blobs under their checksums, and the files
// that say which is which. It holds the program, its folders, one user and the
// authorities that this machine trusts, and nothing else.
const (
	mediaIndex    = "application/vnd.oci.image.index.v1+json"
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaConfig   = "application/vnd.oci.image.config.v1+json"
	mediaLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
	// authorities is where Debian has them, and where Go looks for them.
	authorities = "/etc/ssl/certs/ca-certificates.crt"
	imageUser   = 65532
)

// descriptor names a blob.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Platform    map[string]string `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// layout collects the files of an image.
type layout struct {
	r     *release
	files []entry
}

type entry struct {
	name    string
	mode    int64
	owner   int
	content []byte
	dir     bool
}

// image makes the image of a program, and returns the name of the file.
func (r *release) image(program, arch, binary string) (string, error) {
	rootfs, err := rootOf(program, binary)
	if err != nil {
		return "", err
	}
	plain, err := r.archive(rootfs)
	if err != nil {
		return "", err
	}
	packed, err := squeeze(plain)
	if err != nil {
		return "", err
	}
	l := &layout{r: r}
	layer := l.blob(mediaLayer, packed)
	config, err := l.json(mediaConfig, r.imageConfig(program, arch, digest(plain)))
	if err != nil {
		return "", err
	}
	manifest, err := l.json(mediaManifest, map[string]any{"schemaVersion": 2, "mediaType": mediaManifest, "config": config, "layers": []descriptor{layer}})
	if err != nil {
		return "", err
	}
	manifest.Platform = map[string]string{"architecture": arch, "os": "linux"}
	manifest.Annotations = map[string]string{"org.opencontainers.image.ref.name": r.version.in("deb")}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": mediaIndex, "manifests": []descriptor{manifest}})
	if err != nil {
		return "", err
	}
	l.files = append(l.files,
		entry{name: "oci-layout", mode: 0o644, content: []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		entry{name: "index.json", mode: 0o644, content: index})
	whole, err := r.archive(l.files)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s_%s_%s.oci.tar", program, r.version.in("deb"), arch)
	return name, os.WriteFile(filepath.Join(r.out, name), whole, 0o644)
}

// imageConfig says how an image is run.
func (r *release) imageConfig(program, arch, layer string) any {
	run := map[string]any{
		"Entrypoint": []string{"/usr/bin/" + program}, "WorkingDir": "/etc/vedette",
		"Env": []string{"PATH=/usr/bin", "XDG_STATE_HOME=/var/lib", "HOME=/tmp"},
		"Labels": map[string]string{
			"org.opencontainers.image.title": program, "org.opencontainers.image.version": r.version.describe, "org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	if program == "vedette" {
		run["User"] = fmt.Sprintf("%d:%d", imageUser, imageUser)
		run["Cmd"] = []string{"master"}
		run["ExposedPorts"] = map[string]any{"50505/tcp": struct{}{}}
		run["Volumes"] = map[string]any{"/var/lib/vedette": struct{}{}}
	}
	return map[string]any{
		"created": r.when, "architecture": arch, "os": "linux", "config": run,
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{layer}},
		"history": []map[string]any{{"created": r.when, "created_by": program + " " + r.version.describe}},
	}
}

// rootOf is the file system of an image.
func rootOf(program, binary string) ([]entry, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	trusted, err := os.ReadFile(authorities)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authorities: %w; install ca-certificates", err)
	}
	folder := func(name string, mode int64, owner int) entry {
		return entry{name: name + "/", mode: mode, owner: owner, dir: true}
	}
	state := folder("var/lib/"+program, 0o700, 0)
	if program == "vedette" {
		state.owner = imageUser
	}
	return []entry{
		folder("etc", 0o755, 0), folder("etc/ssl", 0o755, 0), folder("etc/ssl/certs", 0o755, 0), folder("etc/vedette", 0o755, 0),
		folder("tmp", 0o1777, 0), folder("usr", 0o755, 0), folder("usr/bin", 0o755, 0), folder("var", 0o755, 0), folder("var/lib", 0o755, 0), state,
		{name: "etc/passwd", mode: 0o644, content: fmt.Appendf(nil, "root:x:0:0:root:/:/sbin/nologin\nvedette:x:%d:%d:vedette:/var/lib/vedette:/sbin/nologin\n", imageUser, imageUser)},
		{name: "etc/group", mode: 0o644, content: fmt.Appendf(nil, "root:x:0:\nvedette:x:%d:\n", imageUser)},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: trusted},
		{name: "usr/bin/" + program, mode: 0o755, content: content},
	}, nil
}

// blob adds content under its checksum.
func (l *layout) blob(media string, content []byte) descriptor {
	sum := digest(content)
	l.files = append(l.files, entry{name: "blobs/sha256/" + sum[len("sha256:"):], mode: 0o644, content: content})
	return descriptor{MediaType: media, Digest: sum, Size: int64(len(content))}
}

func (l *layout) json(media string, value any) (descriptor, error) {
	content, err := json.Marshal(value)
	return l.blob(media, content), err
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// archive makes a tar of entries, in their order.
func (r *release) archive(entries []entry) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: e.mode, Uid: e.owner, Gid: e.owner, Size: int64(len(e.content)), ModTime: r.when, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if e.dir {
			h.Typeflag = tar.TypeDir
		}
		err := w.WriteHeader(h)
		if err == nil {
			_, err = w.Write(e.content)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func squeeze(content []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(content)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
