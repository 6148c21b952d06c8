package main

import (
	"runtime"
	"strings"
	"testing"
)

// The package of the agent is installed, upgraded, removed and purged by dpkg itself.
// What a user changed and what the agent has kept outlive all but the purge.
func TestDebianPackageOfTheAgent(t *testing.T) {
	g := newGuest(t, "sleep")
	old := made(t, "-version", "v1.2.3", "-programs", "vedette-agent", "-arch", runtime.GOARCH, "-formats", "deb", "-images=false")
	fresh := made(t, "-version", "v1.2.4-rc.1", "-programs", "vedette-agent", "-arch", runtime.GOARCH, "-formats", "deb", "-images=false")
	g.run("dpkg", "-i", g.put(old["vedette-agent.deb"]))
	if got := g.run("vedette-agent", "version"); !strings.HasPrefix(got, "vedette-agent v1.2.3 ") {
		t.Errorf("its version is %s", got)
	}
	g.want("dpkg-query -W -f '${Version}' vedette-agent", "1.2.3-1")
	g.want("stat -c '%A %U:%G %n' /etc/vedette/agent.yaml /var/lib/vedette-agent /usr/bin/vedette-agent",
		"-rw------- root:root /etc/vedette/agent.yaml\ndrwx------ root:root /var/lib/vedette-agent\n-rwxr-xr-x root:root /usr/bin/vedette-agent")
	g.sh("bash -n /usr/share/bash-completion/completions/vedette-agent; gunzip -t /usr/share/man/man1/vedette-agent.1.gz; test -s /usr/share/doc/vedette-agent/install.md")
	g.sh("cat /var/lib/dpkg/info/vedette-agent.md5sums | (cd / && md5sum --quiet -c)")

	g.sh("echo '# mine' >> /etc/vedette/agent.yaml; echo kept > /var/lib/vedette-agent/file")
	g.run("dpkg", "-i", g.put(fresh["vedette-agent.deb"]))
	if got := g.run("vedette-agent", "version"); !strings.HasPrefix(got, "vedette-agent v1.2.4-rc.1 ") {
		t.Errorf("after the upgrade its version is %s", got)
	}
	const mine = "tail -n 1 /etc/vedette/agent.yaml; stat -c %A /etc/vedette/agent.yaml; cat /var/lib/vedette-agent/file"
	g.want(mine, "# mine\n-rw-------\nkept")
	g.run("dpkg", "-r", "vedette-agent")
	g.want(mine, "# mine\n-rw-------\nkept")
	g.sh("! test -e /usr/bin/vedette-agent")
	g.run("dpkg", "-i", g.put(fresh["vedette-agent.deb"])) // and back
	g.want(mine, "# mine\n-rw-------\nkept")
	g.run("dpkg", "-P", "vedette-agent")
	g.want("ls -d /etc/vedette /var/lib/vedette-agent /usr/share/doc/vedette-agent 2>/dev/null | wc -l", "0")
}

// Under a real systemd, the packages' units start a master and an agent that measures
// into it with every layer of its sandbox; both say how they are, are started again
// when they hang, and stop when asked.
func TestUnderSystemd(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes; run: make packages-test")
	}
	g := newGuest(t, "systemd")
	files := made(t, "-version", "v1.2.3", "-programs", "vedette,vedette-agent", "-arch", runtime.GOARCH, "-formats", "deb", "-images=false")
	g.await("systemd", func() bool { _, err := g.try("systemctl", "list-units"); return err == nil })
	g.run("dpkg", "-i", g.put(files["vedette.deb"]), g.put(files["vedette-agent.deb"]))
	g.want("stat -c '%A %U:%G %n' /etc/vedette/master.yaml /var/lib/vedette",
		"-rw-r----- root:vedette /etc/vedette/master.yaml\ndrwx------ vedette:vedette /var/lib/vedette")
	g.want("systemctl is-active vedette-master vedette-agent || true", "inactive\ninactive")
	g.sh("for unit in vedette-master vedette-agent; do mkdir -p /etc/systemd/system/$unit.service.d; printf '[Service]\nWatchdogSec=30\n' > /etc/systemd/system/$unit.service.d/test.conf; done; systemctl daemon-reload")

	g.run("systemctl", "enable", "--now", "vedette-master")
	g.sh("curl -fsS http://127.0.0.1:50505/-/ready") // at once: it has said so
	g.run("systemctl", "enable", "--now", "vedette-agent")
	g.await("the agent's samples", func() bool {
		out, err := g.try("sh", "-c", `curl -fsS 'http://127.0.0.1:50505/api/v1/query?query=load_average_1'`)
		return err == nil && strings.Contains(out, `"value"`)
	})
	if out := g.run("vedette", "hosts", "--json"); !strings.Contains(out, `"layers":["mounts","user","landlock","broker","seccomp"]`) || strings.Contains(out, `"lacking"`) {
		t.Errorf("the agent lacks a layer of isolation under its unit: %s", out)
	}
	if out := g.sh("journalctl --no-pager -u vedette-master -u vedette-agent"); strings.Contains(out, "a limit is not in force") {
		t.Errorf("a unit takes away what script hosts need:\n%s", out)
	}
	g.restartsWhatHangs("vedette-master")
	g.restartsWhatHangs("vedette-agent")
	g.passesTheToken()

	g.run("systemctl", "stop", "vedette-agent", "vedette-master")
	g.want("systemctl show -p Result --value vedette-master vedette-agent | sort -u", "success")
	g.run("dpkg", "-P", "vedette", "vedette-agent")
	g.want("ls -d /etc/vedette /var/lib/vedette /var/lib/vedette-agent /etc/credstore/agent.token 2>/dev/null | wc -l; systemctl is-enabled vedette-master 2>/dev/null || true", "0")
}

// restartsWhatHangs stops the process of a unit and waits for another one.
func (g *guest) restartsWhatHangs(unit string) {
	g.t.Helper()
	main := func() string { return g.run("systemctl", "show", "-p", "MainPID", "--value", unit) }
	before := main()
	g.run("kill", "-STOP", before)
	g.await("systemd to start "+unit+" again, which hangs", func() bool {
		now := main()
		return now != before && now != "0" && g.sh("systemctl is-active "+unit+" || true") == "active"
	})
}

// passesTheToken looks for the token of the store in the agent's process, and for
// nobody else to be able to read it.
func (g *guest) passesTheToken() {
	g.t.Helper()
	g.sh("umask 077; printf secret-of-the-test > /etc/credstore/agent.token")
	g.run("systemctl", "restart", "vedette-agent")
	g.want("cat /run/credentials/vedette-agent.service/agent.token", "secret-of-the-test")
	g.want("su -s /bin/sh nobody -c 'cat /run/credentials/vedette-agent.service/agent.token' 2>/dev/null | wc -c", "0")
}

// What systemd says of the units.
func TestUnits(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes; run: make packages-test")
	}
	g := newGuest(t, "sleep")
	if _, err := g.try("sh", "-c", "command -v systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not there; run: apt-get install systemd")
	}
	files := made(t, "-version", "v1.2.3", "-programs", "vedette,vedette-agent", "-arch", runtime.GOARCH, "-formats", "deb", "-images=false")
	g.run("dpkg", "-i", g.put(files["vedette.deb"]), g.put(files["vedette-agent.deb"]))
	for unit, exposed := range map[string]string{"vedette-master": "20", "vedette-agent": "55"} {
		path := "/usr/lib/systemd/system/" + unit + ".service"
		if out := g.run("systemd-analyze", "verify", "--man=no", path); out != "" {
			t.Errorf("systemd finds fault with %s:\n%s", unit, out)
		}
		t.Log(lastLine(g.run("systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold="+exposed, path)))
	}
}

func lastLine(text string) string { return text[strings.LastIndexByte(text, '\n')+1:] }
