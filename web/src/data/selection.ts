// Rows that somebody chose, as the address says them. Pure.

/** The hosts that an address names: `a,b`. */
export function chosenFrom(text: string): Set<string> {
  return new Set(text.split(',').filter(Boolean));
}

/** The address after one was chosen or not; names of hosts have no commas. */
export function chosenAfter(text: string, name: string, on: boolean): string {
  const chosen = chosenFrom(text);
  if (on) chosen.add(name);
  else chosen.delete(name);
  return [...chosen].join(',');
}

/** A selector of labels that selects some hosts and no others. */
export function selectorOf(hosts: string[]): string {
  return hosts.length === 1 ? `host=${hosts[0]}` : `host in (${hosts.join(',')})`;
}
