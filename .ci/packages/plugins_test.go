package main

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// The packages of the plugins are installed, used by the agent of its package, and purged by
// dpkg itself. Nothing of them stays, and one goes without the other.
func TestDebianPackagesOfPlugins(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes; run: make packages-test")
	}
	g := newGuest(t, "sleep")
	files := made(t, "-version", "v1.2.3", "-arch", runtime.GOARCH, "-formats", "deb", "-images=false")
	for _, program := range []string{"vedette", "vedette-agent", "vedette-sql", "vedette-snmp"} {
		g.run("dpkg", "-i", g.put(files[program+".deb"]))
	}
	for _, name := range []string{"sql", "snmp"} {
		g.want("stat -c '%A %U:%G' /usr/lib/vedette/vedette-"+name, "-rwxr-xr-x root:root")
		g.want("dpkg-query -W -f '${Version}' vedette-"+name, "1.2.3-1")
		g.sh(fmt.Sprintf("test -s /usr/share/doc/vedette-%s/%[1]s.md; test -s /usr/share/doc/vedette-%[1]s/copyright", name))
		g.sh(fmt.Sprintf("(cd / && md5sum --quiet -c) < /var/lib/dpkg/info/vedette-%s.md5sums; ! ls /var/lib/dpkg/info/vedette-%[1]s.*inst", name))
	}
	g.sh(`mkdir /tmp/run; cd /tmp/run
cat > agent.yaml <<'END'
inspectors:
  sql: { plugin: /usr/lib/vedette/vedette-sql, args: [/tmp/run/none.yaml], interval: 1s }
  snmp: { plugin: /usr/lib/vedette/vedette-snmp, args: [/tmp/run/none.yaml], interval: 1s }
END
vedette master --data master > master.log 2>&1 &
vedette-agent --config agent.yaml --data agent > agent.log 2>&1 &`)
	// That they say what they miss, through the agent, is more than that they were started.
	for _, name := range []string{"sql", "snmp"} {
		g.await("the agent to hear of the plugin "+name, func() bool {
			out, err := g.try("sh", "-c", "grep "+name+" /tmp/run/agent.log")
			return err == nil && strings.Contains(out, "/tmp/run/none.yaml: no such file")
		})
	}
	g.run("dpkg", "-P", "vedette-sql")
	g.sh("! test -e /usr/lib/vedette/vedette-sql; test -x /usr/lib/vedette/vedette-snmp")
	g.run("dpkg", "-P", "vedette-snmp")
	g.want("ls -d /usr/lib/vedette /usr/share/doc/vedette-sql /usr/share/doc/vedette-snmp 2>/dev/null | wc -l", "0")
}
