// Texts about hosts that have joined, and the line with which a host joins. Pure.

import { labelFrom } from '../../data/label.ts';
import { compareNames } from '../../data/names.ts';
import { duration } from '../../lib/units.ts';
import type { JoinTokenParams, Member } from '../../data/wire.gen.ts';

const hour = 3_600_000;

const urgency: Record<string, number> = { waiting: 0, joined: 1, revoked: 2 };

/** Waiting hosts first, then those whose names others claim, then by name. */
export function inOrder(members: Member[]): Member[] {
  const rank = (m: Member): number => 2 * (urgency[m.state] ?? 1) - (m.claim ? 1 : 0);
  return [...members].sort((a, b) => rank(a) - rank(b) || compareNames(a.host, b.host));
}

/** The members that a filter shows: all its words occur in their lines. */
export function matching(members: Member[], filter: string): Member[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (m: Member): string =>
    [m.host, m.state, m.token, m.from, m.by, m.key, m.claim && 'claimed', ...Object.entries(m.labels ?? {}).map((l) => l.join('='))].join(' ').toLowerCase();
  return members.filter((m) => words.every((w) => text(m).includes(w)));
}

/** Until when a certificate is valid, on the same clock as `now`; '' for none. */
export function endsText(endsMS: number | undefined, now: number): string {
  if (!endsMS) return '';
  const left = endsMS - now;
  return left > 0 ? `in ${duration(Math.max(60, Math.floor(left / 60_000) * 60))}` : `${duration(Math.max(60, Math.floor(-left / 60_000) * 60))} ago`;
}

/** The form of a new join token. */
export interface Wanted {
  host: string;
  uses: string;
  hours: string;
  labels: string;
  approve: boolean;
}

/** The same for the master; an error names the field and what to write. */
export function paramsOf({ host, uses, hours, labels, approve }: Wanted): JoinTokenParams {
  const whole = (text: string, what: string, most: number): number => {
    const n = Number(text);
    if (!/^\d+$/.test(text.trim()) || n < 1 || n > most) throw new Error(`${what} is “${text}”; write a whole number from 1 to ${most}`);
    return n;
  };
  const params: JoinTokenParams = { for_ms: whole(hours, 'Hours', 24 * 365) * hour };
  const name = host.trim();
  if (name !== '') params.host = name;
  else params.uses = whole(uses, 'Hosts', 100_000);
  for (const word of labels.split(/[\s,]+/).filter(Boolean)) {
    const label = labelFrom(word);
    if (!label || label.value === '') throw new Error(`“${word}” is not a label; write role=db`);
    params.labels = { ...params.labels, [label.name]: label.value };
  }
  if (approve) params.approve = true;
  return params;
}

/** The host of an address, without the port, which says nothing. */
export function machineOf(from: string): string {
  return from.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

/** The text about an attempt to take the name of a host; '' if there was none. */
export function claimText({ state, claim }: Member): string {
  if (!claim) return '';
  const does = state === 'revoked' ? 'asks to join under this name' : 'claims this name';
  return `Somebody at ${machineOf(claim.from)} ${does}, and is refused: ${claim.why.replace(/^refused: /, '')}`;
}

/** A word as a shell reads it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The line to paste on a host. */
export function joinLine(origin: string, token: string, host = ''): string {
  const words = ['vedette-agent', 'join', origin, '--token', token, ...(host ? ['--host', host] : [])];
  return words.map(shellWord).join(' ');
}

/** Whether an address only reaches this machine. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
