package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each fault of a configuration is told with its place and what to do.
func TestFaultsOfConfigurations(t *testing.T) {
	dir := t.TempDir()
	err := errors.Join(
		os.WriteFile(filepath.Join(dir, "open"), []byte("x"), 0o644), os.WriteFile(filepath.Join(dir, "short"), []byte("1234567"), 0o600),
		os.WriteFile(filepath.Join(dir, "long"), []byte(strings.Repeat("x", 200)), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	v2 := func(more string) string {
		return "devices: { a: { address: 127.0.0.1, version: 2c, community_file: x, " + more + " } }"
	}
	v3 := func(more string) string {
		return "devices: { a: { address: 127.0.0.1, version: 3, user: u, auth_file: short, privacy_file: short, " + more + " } }"
	}
	for text, want := range map[string]string{
		"":                "devices: 0 are listed",
		"devices: { a: }": "devices.a: it is empty",
		"devices: { a: { address: x, version: 1, community_file: x } }":            `devices.a.version: "1" is not a version; use 3, or 2c`,
		"devices: { a: { address: 'x:y', version: 2c, community_file: x } }":       `devices.a.address: "x:y" is not an address`,
		"devices: { a: { address: '', version: 2c, community_file: x } }":          `devices.a.address: "" is not an address`,
		"devices: { a: { address: x, version: 2c } }":                              "devices.a: give either community_file",
		"devices: { a: { address: x, version: 3, user: u, auth_file: x } }":        "devices.a: give either privacy_file",
		"devices: { a: { address: x, version: 3, auth_file: x, privacy_env: X } }": "devices.a.user: it has 0 characters",
		v2("user: u"):                                        "are for version 3",
		v2("community: x"):                                   "line 1: field community not found",
		v2("retries: 11"):                                    "retries: 11 is out of range",
		v2("repetitions: 101"):                               "repetitions: 101 is out of range",
		v2("max_rows: 5001"):                                 "max_rows: 5001 is out of range",
		v2("timeout: 5"):                                     `"5" is not a time such as 2s`,
		v2("walk: [all]"):                                    `walk: "all" cannot be walked; use system and interfaces`,
		v2("interfaces: '('"):                                "not a regular expression",
		v2("community_env: X"):                               "give either community_file",
		v3("community_file: x"):                              "a community is for version 2c",
		v3("auth: sha1"):                                     "use one of md5, sha, sha224",
		v3("privacy: rot13"):                                 "use one of aes, aes192",
		v3("timeout: 1s"):                                    "too short; each needs at least 8 characters",
		v2("values: [ { name: up } ]"):                       "is what the plugin reports by itself",
		v2("values: [ { name: A, oid: 1.3 } ]"):              `"A" is not a name`,
		v2("values: [ { name: a, oid: 10.3 } ]"):             `"10.3" is not an OID in numbers`,
		v2("values: [ { name: a, oid: 1.3, scale: .inf } ]"): "scale: +Inf is not a finite number",
		v2("values: [ { name: a, oid: 1.3, scale: .nan } ]"): "scale: NaN is not a finite number",
		v2("values: [ { name: a, oid: sysName } ]"):          `"sysName" is not an OID in numbers`,
		v2("values: [ { name: a, oid: 1.3 }, { name: a, oid: 1.4 } ]"):                                        `"a" is there twice`,
		v2("values: [ { name: t_a, oid: 1.3 } ], tables: [ { name: t, values: [ { name: a, oid: 1.3 } ] } ]"): `"t_a" is there twice`,
		v2("tables: [ { name: t } ]"): "tables[0].values: 0 columns are listed",
		v2("tables: [ { name: t, labels: { device: 1.3 }, values: [ { name: a, oid: 1.3 } ] } ]"):      `the label "device" is`,
		v2("tables: [ { name: t, index: a, labels: { a: 1.3 }, values: [ { name: a, oid: 1.3 } ] } ]"): `index: "a" is a label`,
		v2("tables: [ { name: t, labels: { a: x }, values: [ { name: a, oid: 1.3 } ] } ]"):             `labels.a: "x" is not an OID`,
		"devices: {}\n---\ndevices: {}\n":                                                                              "a second document",
		"devices: { a: { address: 127.0.0.1, version: 2c, community_file: open } }":                                    "chmod o= ",
		"devices: { a: { address: 127.0.0.1, version: 2c, community_file: long } }":                                    "at most 127 are allowed",
		"devices: { a: { address: 127.0.0.1, version: 2c, community_env: VEDETTE_NOT_SET } }":                          "VEDETTE_NOT_SET is not set",
		"devices: { a: { address: 127.0.0.1, version: 3, user: u, auth_file: nothing, privacy_file: nothing } }":       "no such file",
		"devices: { a: { address: 127.0.0.1, version: 3, user: u, auth_file: x, auth_env: Y, privacy_file: nothing} }": "give either auth_file",
	} {
		_, err := run(t, write(t, dir, text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "main.") {
			t.Errorf("%s\ngives %v, want %q", text, err, want)
		}
	}
}

// Whatever a configuration is, it is refused or all that it has is within bounds.
func FuzzParse(f *testing.F) {
	f.Add([]byte("devices: { a: { address: 'x:1', version: 2c, community_file: x, tables: [ { name: t, labels: { a: 1.3 }, values: [ { name: a, oid: 1.3 } ] } ] } }"))
	f.Add([]byte("devices: { a: { address: '[::1]:1', version: 3, user: u, auth_file: x, privacy_env: y, values: [ { name: a, oid: 1.3, scale: 0.1 } ] } }"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parse(text)
		if err != nil {
			return
		}
		for name, d := range s.Devices {
			if d == nil || d.Timeout <= 0 || *d.Retries < 0 || d.Repetitions < 1 || d.MaxRows < 1 || d.MaxRows > maxRows {
				t.Fatalf("%q: %+v", name, d)
			}
			if host, port, err := d.hostPort(); err != nil || host == "" || port == 0 {
				t.Errorf("%q: %q, %d, %v", d.Address, host, port, err)
			}
			for _, o := range d.Values {
				if !names.MatchString(o.Name) || !isOID(o.OID) || o.Scale == 0 || o.Scale-o.Scale != 0 {
					t.Errorf("%+v", o)
				}
			}
		}
	})
}
