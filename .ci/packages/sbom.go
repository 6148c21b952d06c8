package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// bom is a bill of materials in CycloneDX 1.5, as far as we fill it.
type bom struct {
	Format      string       `json:"bomFormat"`
	SpecVersion string       `json:"specVersion"`
	Serial      string       `json:"serialNumber"`
	Version     int          `json:"version"`
	Metadata    bomMetadata  `json:"metadata"`
	Components  []component  `json:"components"`
	Depends     []dependency `json:"dependencies"`
}

type bomMetadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl,omitempty"`
	Hashes  []hash `json:"hashes,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// billOfMaterials writes what a program consists of, as the program itself says, and
// returns the name of the file.
func (r *release) billOfMaterials(program, arch, binary string) (string, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return "", err
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return "", fmt.Errorf("cannot read what %s was built of: %w", program, err)
	}
	sum := sha256.Sum256(content)
	self := component{
		Type: "application", Ref: program, Name: program, Version: r.version.describe,
		Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}},
	}
	b := bom{
		Format: "CycloneDX", SpecVersion: "1.5", Version: 1, Serial: "urn:uuid:" + uuidOf(sum[:]),
		Metadata: bomMetadata{r.when.Format(time.RFC3339), self},
	}
	goVersion, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ")
	b.Components = append(b.Components, module("stdlib", goVersion, ""))
	for _, dep := range info.Deps {
		b.Components = append(b.Components, r.materialOf(dep))
	}
	slices.SortFunc(b.Components, func(x, y component) int { return cmp.Compare(x.Ref, y.Ref) })
	own := dependency{Ref: program}
	for _, c := range b.Components {
		own.DependsOn = append(own.DependsOn, c.Ref)
	}
	b.Depends = []dependency{own}
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s_%s_%s.cdx.json", program, r.version.in("deb"), arch)
	return name, os.WriteFile(filepath.Join(r.out, name), append(text, '\n'), 0o644)
}

// materialOf is a module that a program has. One that a folder replaces is of this
// repository, and has its version.
func (r *release) materialOf(dep *debug.Module) component {
	if dep.Replace == nil {
		return module(dep.Path, dep.Version, dep.Sum)
	}
	if strings.HasPrefix(dep.Replace.Path, ".") {
		return module(dep.Path, r.version.describe, "")
	}
	return module(dep.Replace.Path, dep.Replace.Version, dep.Replace.Sum)
}

// module is a module of Go. The sum of go.sum is the SHA-256 of the list of its files.
func module(path, version, sum string) component {
	c := component{Type: "library", Name: path, Version: version, PURL: "pkg:golang/" + path + "@" + version}
	c.Ref = c.PURL
	if raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:")); err == nil && len(raw) == sha256.Size {
		c.Hashes = []hash{{"SHA-256", hex.EncodeToString(raw)}}
	}
	return c
}

// uuidOf makes a number of a checksum, so that it is the same each time: version 8.
func uuidOf(sum []byte) string {
	id := slices.Clone(sum[:16])
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
