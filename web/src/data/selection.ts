// Rows that the user has selected, in the form of the address. Pure.

/** The hosts in an address: `a,b`. */
export function chosenFrom(text: string): Set<string> {
  return new Set(text.split(',').filter(Boolean));
}

/** The address after a host was selected or deselected; names of hosts have no commas. */
export function chosenAfter(text: string, name: string, on: boolean): string {
  const chosen = chosenFrom(text);
  if (on) chosen.add(name);
  else chosen.delete(name);
  return [...chosen].join(',');
}

/** A label selector for exactly these hosts. */
export function selectorOf(hosts: string[]): string {
  return hosts.length === 1 ? `host=${hosts[0]}` : `host in (${hosts.join(',')})`;
}
