package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// debian returns the folder of a Debian with systemd and nothing else: that which
// $VEDETTE_DEBIAN names, or a new one.
func debian(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("VEDETTE_DEBIAN"); dir != "" {
		return dir
	}
	if _, err := exec.LookPath("debootstrap"); err != nil {
		t.Skip("debootstrap is not there; run: apt-get install debootstrap")
	}
	dir := t.TempDir()
	if out, err := exec.Command("debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,iproute2,curl,ca-certificates", "stable", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot fetch Debian: %v\n%s", err, lastLine(strings.TrimSpace(string(out))))
	}
	return dir
}

// walk is what somebody types, with the seconds of each.
type walk struct {
	*testing.T
	begun time.Time
	table []string
}

func (w *walk) types(on string, g *guest, command string) string {
	w.Helper()
	at := time.Now()
	out := g.sh("export VEDETTE_MASTER=https://127.0.0.1:50505 VEDETTE_CA=/var/lib/vedette/authority.crt; " + command)
	w.note(on, command, at)
	return out
}

func (w *walk) note(on, what string, since time.Time) {
	w.table = append(w.table, fmt.Sprintf("| %s | `%s` | %.1f |", on, what, time.Since(since).Seconds()))
}

// TestFromAnEmptyDebian goes from four machines with nothing but Debian to three hosts
// on the page of a master, by the commands of docs/install.md, and tells the seconds of
// each. The machines are systems of their own with systemd, and a network between them.
func TestFromAnEmptyDebian(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes; run: make packages-test")
	}
	system := debian(t)
	files := made(t, "-version", "v1.2.3", "-programs", "vedette,vedette-agent", "-arch", runtime.GOARCH, "-formats", "deb", "-images=false")
	names := []string{"master", "web-1", "web-2", "web-3"}
	machines := make(map[string]*guest)
	for i, name := range names {
		g := newGuestOf(t, "systemd", system)
		machines[name] = g
		g.await("systemd of "+name, func() bool { _, err := g.try("systemctl", "list-units"); return err == nil })
		g.run("hostname", name)
		g.sh("printf '127.0.0.1 localhost\\n10.9.0.1 master\\n' > /etc/hosts")
		if i == 0 {
			g.sh("ip link add name lan type bridge && ip addr add 10.9.0.1/24 dev lan && ip link set lan up")
			continue
		}
		if out, err := exec.Command("ip", "link", "add", "name", name, "netns", machines["master"].pid, "type", "veth", "peer", "name", "lan", "netns", g.pid).CombinedOutput(); err != nil {
			t.Skipf("cannot connect systems here: %v\n%s", err, out)
		}
		machines["master"].sh("ip link set " + name + " master lan && ip link set " + name + " up")
		g.sh(fmt.Sprintf("ip addr add 10.9.0.%d/24 dev lan && ip link set lan up", i+1))
	}
	master, w := machines["master"], &walk{T: t, begun: time.Now()}
	install := func(on, deb string) {
		g := machines[on]
		g.sh("mv " + g.put(deb) + " /root/")
		at, file := time.Now(), filepath.Base(deb)
		g.sh("cd /root && apt-get install -y ./" + file)
		w.note(on, "apt-get install ./"+file, at)
	}
	install("master", files["vedette.deb"])
	w.types("master", master, `printf 'master:\n  listen: 0.0.0.0:50505\n' > /etc/vedette/master.yaml`)
	w.types("master", master, "systemctl enable --now vedette-master")
	line := regexp.MustCompile(`vedette-agent join \S+ --token \S+`).FindString(w.types("master", master, "vedette join-token --uses 3"))
	if line == "" {
		t.Fatal("join-token prints no line to paste")
	}
	for _, name := range names[1:] {
		install(name, files["vedette-agent.deb"])
		at := time.Now()
		machines[name].sh(line)
		w.note(name, "vedette-agent join https://master:50505 --token …", at)
		w.types(name, machines[name], "systemctl enable --now vedette-agent")
	}
	at := time.Now()
	master.await("three hosts with samples", func() bool {
		out, err := master.try("sh", "-c", "VEDETTE_MASTER=https://127.0.0.1:50505 VEDETTE_CA=/var/lib/vedette/authority.crt vedette query load_average_1")
		return err == nil && strings.Contains(out, "web-1") && strings.Contains(out, "web-2") && strings.Contains(out, "web-3")
	})
	w.note("master", "vedette query load_average_1", at)
	if page := machines["web-3"].sh("curl -fsSk https://master:50505/"); !strings.Contains(page, "<title>") {
		t.Errorf("the page is %.300s", page)
	}
	t.Logf("from an empty Debian to three hosts on the page, %.0f s in all:\n| on | command | seconds |\n|---|---|--:|\n%s", time.Since(w.begun).Seconds(), strings.Join(w.table, "\n"))
}
