package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gosnmp/gosnmp"
)

// sample is one value of a device.
type sample struct {
	name    string
	labels  []string // names and values in turn, without the device
	counter bool
	v       float64
}

func (d *device) put(name string, v float64, labels ...string) {
	d.samples = append(d.samples, sample{name: name, v: v, labels: labels})
}

// putPDU adds what a device has answered. It reports whether that is a number.
func (d *device) putPDU(o Object, pdu gosnmp.SnmpPDU, labels ...string) bool {
	v, counter, wraps, ok := number(pdu)
	if !ok {
		return false
	}
	if wraps {
		v = d.counters.grown(uint32(v), append([]string{o.Name}, labels...)...)
	}
	d.samples = append(d.samples, sample{name: o.Name, v: v * o.Scale, counter: counter || o.Counter, labels: labels})
	return true
}

const (
	sysDescr  = ".1.3.6.1.2.1.1.1.0"
	sysUpTime = ".1.3.6.1.2.1.1.3.0"
	sysName   = ".1.3.6.1.2.1.1.5.0"
)

// system reads the uptime, which counters need, and says what the device is.
func (d *device) system(report bool) error {
	got, err := d.get(sysUpTime, sysName, sysDescr)
	if err != nil {
		return err
	}
	ticks, timed := got[sysUpTime].Value.(uint32)
	d.counters.begin(ticks, timed, d.now())
	if !report {
		return nil
	}
	if timed {
		d.put("uptime_seconds", float64(ticks)/100)
	}
	d.put("info", 1, "name", text(got[sysName]), "description", text(got[sysDescr]))
	return nil
}

// counted are the counters of an interface: the column of 64 bits, or "", and that of 32.
var counted = []struct{ name, wide, narrow string }{
	{"interface_in_bytes_total", ifXEntry + ".6", ifEntry + ".10"},
	{"interface_out_bytes_total", ifXEntry + ".10", ifEntry + ".16"},
	{"interface_in_packets_total", ifXEntry + ".7", ifEntry + ".11"},
	{"interface_out_packets_total", ifXEntry + ".11", ifEntry + ".17"},
	{"interface_in_discards_total", "", ifEntry + ".13"},
	{"interface_out_discards_total", "", ifEntry + ".19"},
	{"interface_in_errors_total", "", ifEntry + ".14"},
	{"interface_out_errors_total", "", ifEntry + ".20"},
}

// The columns of IF-MIB that are read.
const (
	ifEntry       = "1.3.6.1.2.1.2.2.1"
	ifDescr       = ifEntry + ".2"
	ifSpeed       = ifEntry + ".5"
	ifAdminStatus = ifEntry + ".7"
	ifOperStatus  = ifEntry + ".8"
	ifXEntry      = "1.3.6.1.2.1.31.1.1.1"
	ifName        = ifXEntry + ".1"
	ifHighSpeed   = ifXEntry + ".15"
	ifAlias       = ifXEntry + ".18"
)

// interfaces reads the interfaces: counters of 64 bits where there are any.
func (d *device) interfaces(of *Device) error {
	oids := []string{ifName, ifDescr, ifOperStatus, ifAdminStatus, ifSpeed, ifHighSpeed, ifAlias}
	for _, c := range counted {
		if c.wide != "" {
			oids = append(oids, c.wide)
		} else {
			oids = append(oids, c.narrow)
		}
	}
	all, err := d.columns(of, oids...)
	if err != nil {
		return err
	}
	for _, c := range counted {
		if c.wide != "" && len(all[c.wide]) < len(all[ifOperStatus]) {
			if all[c.narrow], err = d.walk(of, c.narrow); err != nil {
				return err
			}
		}
	}
	named := interfaceNames(all)
	for _, index := range slices.Sorted(maps.Keys(named)) {
		if name := named[index]; of.Interfaces.Regexp == nil || of.Interfaces.MatchString(name) {
			d.oneInterface(all, index, name)
		}
	}
	return nil
}

// interfaceNames names each interface, by its index: by ifName, by ifDescr where it has
// none, and by its index as well where two have one name.
func interfaceNames(all map[string]column) map[string]string {
	names, often := make(map[string]string), make(map[string]int)
	for index := range all[ifOperStatus] {
		name := text(all[ifName][index])
		if name == "" {
			name = text(all[ifDescr][index])
		}
		names[index] = name
		often[name]++
	}
	for index, name := range names {
		if often[name] > 1 || name == "" {
			names[index] = name + "#" + index
		}
	}
	return names
}

func (d *device) oneInterface(all map[string]column, index, name string) {
	const up = 1
	for sample, status := range map[string]string{"interface_up": ifOperStatus, "interface_enabled": ifAdminStatus} {
		if v, _, _, ok := number(all[status][index]); ok {
			d.put(sample, map[bool]float64{true: 1}[v == up], "interface", name)
		}
	}
	if fast, _, _, ok := number(all[ifHighSpeed][index]); ok && fast > 0 {
		d.put("interface_speed_bits_per_second", fast*1e6, "interface", name) // RFC 2863: in millions
	} else if slow, _, _, ok := number(all[ifSpeed][index]); ok {
		d.put("interface_speed_bits_per_second", slow, "interface", name)
	}
	d.put("interface_info", 1, "interface", name, "index", index, "alias", text(all[ifAlias][index]), "description", text(all[ifDescr][index]))
	for _, c := range counted {
		pdu, wide := all[c.wide][index]
		if !wide {
			pdu = all[c.narrow][index]
		}
		d.putPDU(Object{Name: c.name, Scale: 1}, pdu, "interface", name)
	}
}

// objects reads the single objects of the configuration.
func (d *device) objects(of *Device) error {
	oids := make([]string, len(of.Values))
	for i, o := range of.Values {
		oids[i] = absolute(o.OID)
	}
	got, err := d.get(oids...)
	if err != nil {
		return err
	}
	var faults []error
	for i, o := range of.Values {
		pdu, there := got[oids[i]]
		switch {
		case !there:
			faults = append(faults, fmt.Errorf("cannot read value %q: it has no object %s; that of a single object ends in .0", o.Name, o.OID))
		case !d.putPDU(o, pdu):
			faults = append(faults, fmt.Errorf("cannot read value %q: the object %s is %q, which is not a number", o.Name, o.OID, text(pdu)))
		}
	}
	return notAway(faults)
}

// table reads a table of the configuration. A row without a number in a column has no
// sample of it.
func (d *device) table(of *Device, t *Table) error {
	labels := slices.Sorted(maps.Keys(t.Labels))
	var oids []string
	for _, label := range labels {
		oids = append(oids, t.Labels[label])
	}
	for i := range t.Values {
		oids = append(oids, t.Values[i].OID)
	}
	all, err := d.columns(of, oids...)
	if err != nil {
		return err
	}
	var faults []error
	for i := range t.Values {
		o, numbers := t.Values[i], 0
		rows := all[o.OID]
		o.Name = t.sample(&t.Values[i])
		for _, index := range slices.Sorted(maps.Keys(rows)) {
			var of []string
			for _, label := range labels {
				of = append(of, label, text(all[t.Labels[label]][index]))
			}
			if t.Index != "" {
				of = append(of, t.Index, short(index))
			}
			if d.putPDU(o, rows[index], of...) {
				numbers++
			}
		}
		switch {
		case len(rows) == 0:
			faults = append(faults, fmt.Errorf("cannot read table %q: it has no column %s", t.Name, o.OID))
		case numbers == 0:
			faults = append(faults, fmt.Errorf("cannot read table %q: the column %s has no number", t.Name, o.OID))
		}
	}
	return notAway(faults)
}

// partial are faults of what was asked, not of the device or the way to it.
type partial struct{ error }

func notAway(faults []error) error {
	if len(faults) == 0 {
		return nil
	}
	return partial{errors.Join(faults...)}
}
