package config

import "time"

// TwoPersons has a change of what hosts run wait until a second person has approved it.
// Changes are pushes, deletions, and labels given on the master that decide what a host
// runs. A draft cannot be tried on the hosts that this is for.
type TwoPersons struct {
	// Required has changes wait for a second person.
	Required bool `yaml:"required" default:"false"`
	// Hosts selects the hosts that this is for, by their labels: env=production. A
	// change needs no second person if its own selector excludes them, such as
	// env=staging.
	Hosts string `yaml:"hosts" absent:"every host"`
	// Rollback asks for a second person also to go back to what ran before.
	Rollback bool `yaml:"rollback" default:"false"`
	// Expire is how long a change waits.
	Expire time.Duration `yaml:"expire" default:"3d" min:"1m" max:"30d"`
}

// twoPersons checks that somebody who names hosts has asked for a second person, too.
func (l *loader) twoPersons() {
	t := l.c.Master.TwoPersons
	l.check(t.Hosts != "" && !t.Required, "master.two_persons.hosts", "no second person is asked for; add `required: true`")
	l.check(t.Rollback && !t.Required, "master.two_persons.rollback", "no second person is asked for; add `required: true`")
}
