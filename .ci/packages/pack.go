package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/apk" // the formats
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// sources is the folder of what is not made: units, scripts, configurations.
const sources = ".ci/packages/files/"

// agentPages is how the names of the manual pages of the agent begin, and of its commands.
const agentPages = "/usr/share/man/man1/vedette-agent"

// described is what people read of a program's package.
func described(program string) string {
	if program == "vedette" {
		return "live monitoring of hosts, with probes written in Go\n" +
			"The master, to which agents report and which serves the page, and the commands\n" +
			"that put probes onto hosts and look at what they measure."
	}
	switch program {
	case "vedette-sql":
		return "plugin of the Vedette agent that asks databases\n" +
			"It makes samples of what queries of PostgreSQL, MariaDB and MySQL return."
	case "vedette-snmp":
		return "plugin of the Vedette agent that asks devices by SNMP\n" +
			"It makes samples of what switches, routers and other devices answer."
	}
	return "agent of the Vedette monitoring mesh\n" +
		"It runs probes written in Go, each in a sandbox, and reports what they measure to\n" +
		"a master."
}

// placed are the files of a package that are in the repository.
func placed(program, format string) files.Contents {
	const units, doc = "/usr/lib/systemd/system/", "/usr/share/doc/"
	if plugin := pluginOf(program); plugin != "" {
		page := filepath.Base(plugin) + ".md"
		return files.Contents{
			file(doc+program+"/copyright", "LICENSE", 0o644),
			file(doc+program+"/"+page, "docs/"+page, 0o644),
		}
	}
	contents := files.Contents{
		file(doc+program+"/copyright", "LICENSE", 0o644),
		file(doc+program+"/CHANGELOG.md", "CHANGELOG.md", 0o644),
		file(doc+program+"/configuration.md", "docs/configuration.md", 0o644),
		file(doc+program+"/install.md", "docs/install.md", 0o644),
		file("/usr/lib/tmpfiles.d/"+program+".conf", sources+program+".tmpfiles", 0o644),
	}
	service := map[string]string{"vedette": "vedette-master", "vedette-agent": "vedette-agent"}[program]
	if format == "apk" { // Alpine has OpenRC
		contents = append(contents, file("/etc/init.d/"+service, sources+service+".initd", 0o755))
	}
	if program == "vedette" {
		return append(contents,
			file(units+"vedette-master.service", sources+"vedette-master.service", 0o644),
			file("/usr/lib/sysusers.d/vedette.conf", sources+"vedette.sysusers", 0o644),
			settings("/etc/vedette/master.yaml", sources+"master.yaml", 0o640))
	}
	return append(contents,
		file(units+"vedette-agent.service", sources+"vedette-agent.service", 0o644),
		settings("/etc/vedette/agent.yaml", sources+"agent.yaml", 0o600))
}

func file(to, from string, mode os.FileMode) *files.Content {
	return &files.Content{Source: from, Destination: to, Type: files.TypeFile, FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: mode}}
}

// settings is a file that belongs to who runs the host from then on.
func settings(to, from string, mode os.FileMode) *files.Content {
	c := file(to, from, mode)
	c.Type = files.TypeConfigNoReplace
	return c
}

// binaryIn is where a program lies on a host. The folder of the plugins belongs to each of
// their packages, so that it goes with the last one.
func binaryIn(program, binary string) files.Contents {
	if pluginOf(program) == "" {
		return files.Contents{file("/usr/bin/"+program, binary, 0o755)}
	}
	const dir = "/usr/lib/vedette"
	return files.Contents{
		{Destination: dir, Type: files.TypeDir, FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: 0o755}},
		file(dir+"/"+program, binary, 0o755),
	}
}

// pack makes one package, and returns its name in the folder.
func (r *release) pack(program, arch, format, binary string, docs documents) (name string, err error) {
	contents := placed(program, format)
	for _, c := range contents {
		c.Source = filepath.Join(r.root, c.Source)
	}
	contents = append(contents, binaryIn(program, binary)...)
	for _, to := range slices.Sorted(maps.Keys(docs[program])) {
		if program == "vedette" && strings.HasPrefix(to, agentPages) {
			continue // "vedette agent" is the program vedette-agent, whose package has the pages
		}
		contents = append(contents, file(to, docs[program][to], 0o644))
	}
	for _, c := range contents {
		c.FileInfo.MTime = r.when
	}
	script := func(kind string) string {
		if pluginOf(program) != "" {
			return "" // it has no unit, no user and nothing that it keeps
		}
		return filepath.Join(r.root, sources+program+"."+kind)
	}
	info := &nfpm.Info{
		Name: program, Arch: arch, Platform: "linux", Version: r.version.in(format), VersionSchema: "none", Release: releaseOf(format),
		Section: "admin", Priority: "optional", Maintainer: "Vedette <vedette@localhost>", Vendor: "Vedette", License: "Apache-2.0",
		Description: described(program), MTime: r.when, DisableGlobbing: true,
		Overridables: nfpm.Overridables{
			Contents: contents, Recommends: []string{"ca-certificates"}, Umask: 0o022,
			Scripts: nfpm.Scripts{PostInstall: script("postinst"), PreRemove: script("prerm"), PostRemove: script("postrm")},
			RPM:     nfpm.RPM{BuildHost: "localhost", Summary: firstLine(described(program)), Compression: "gzip:9"},
			APK:     nfpm.APK{Scripts: nfpm.APKScripts{PostUpgrade: script("postinst")}},
		},
	}
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return "", err
	}
	packager, err := nfpm.Get(format)
	if err != nil {
		return "", err
	}
	name = packager.ConventionalFileName(info)
	out, err := os.Create(filepath.Join(r.out, name))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := packager.Package(info, out); err != nil {
		return "", fmt.Errorf("cannot make %s: %w", name, err)
	}
	return name, nil
}

// releaseOf is what a format says of how often one version was packaged.
func releaseOf(format string) string {
	if format == "apk" {
		return "0"
	}
	return "1"
}

func firstLine(text string) string {
	for i, c := range text {
		if c == '\n' {
			return text[:i]
		}
	}
	return text
}
