package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// version is that of a tree, in the words of each format. They sort as the trees came
// about: release candidates before their release, later trees after it.
type version struct {
	describe string // such as v1.2.3, v1.2.3-rc.1, v1.2.3-4-gabc1234, abc1234, each with or without -dirty
	when     time.Time
}

var (
	tagged = regexp.MustCompile(`^v?(\d+(?:\.\d+)*)(?:-([a-z]+)\.?(\d+))?(?:-(\d+)-g([0-9a-f]+))?$`)
	bare   = regexp.MustCompile(`^[0-9a-f]{7,40}$`)
	plain  = regexp.MustCompile(`[^0-9A-Za-z.+]+`)
)

// in is the version in one format.
func (v version) in(format string) string {
	text, dirty := strings.CutSuffix(v.describe, "-dirty")
	parts := tagged.FindStringSubmatch(text)
	stamp := v.when.UTC().Format("20060102150405")
	if format == "apk" { // digits, and one of few words with digits
		switch {
		case parts == nil || bare.MatchString(text) && !strings.Contains(text, "."):
			return "0.0.0_git" + stamp
		case dirty:
			parts[4] = stamp
			fallthrough
		case parts[4] != "":
			return parts[1] + prefixed("_", parts[2]+parts[3]) + "_p" + parts[4]
		}
		return parts[1] + prefixed("_", parts[2]+parts[3])
	}
	made := ""
	switch {
	case parts == nil || bare.MatchString(text) && !strings.Contains(text, "."):
		made = "0.0.0~git" + stamp + prefixed(".", plain.ReplaceAllString(text, "."))
	default:
		made = parts[1] + prefixed("~", parts[2]+parts[3])
		if parts[4] != "" {
			made += fmt.Sprintf("+%s.%s", parts[4], parts[5])
		}
	}
	if dirty {
		made += "+dirty"
	}
	return made
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}
