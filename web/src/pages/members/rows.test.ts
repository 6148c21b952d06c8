import { expect, test } from 'vitest';
import type { Member } from '../../data/wire.gen.ts';
import { claimText, endsText, inOrder, isLoopback, joinLine, machineOf, matching, paramsOf, shellWord } from './rows.ts';

const member = (host: string, state: string, more: Partial<Member> = {}): Member => ({ host, state, key: 'ab12', token: 'join-1', from: '10.0.0.7', joined_ms: 1, ...more });

test('those that wait come first, then those whose names others claim', () => {
  const claim = { from: 'x', at_ms: 1, why: 'y' };
  const list = [member('web-10', 'joined'), member('web-2', 'joined'), member('old', 'revoked'), member('new', 'waiting'), member('db', 'joined', { claim })];
  expect(inOrder(list).map((m) => m.host)).toEqual(['new', 'db', 'web-2', 'web-10', 'old']);
});

test('the filter takes words of a line', () => {
  const list = [member('web-1', 'joined', { labels: { role: 'web' } }), member('db-1', 'waiting', { by: 'ann' })];
  const found = (filter: string): string[] => matching(list, filter).map((m) => m.host);
  expect([found(''), found('WAITING'), found('role=web joined'), found('ann db'), found('nothing')]).toEqual([['web-1', 'db-1'], ['db-1'], ['web-1'], ['db-1'], []]);
});

test('a certificate ends, or has ended, or there is none', () => {
  expect([endsText(undefined, 0), endsText(86_400_000 * 3, 0), endsText(0.5, 0), endsText(1, 7_200_001)]).toEqual(['', 'in 3 d', 'in 1 min', '2 h ago']);
});

const wanted = { host: '', uses: '3', hours: '24', labels: '', approve: false };

test('what is filled in becomes a token', () => {
  expect(paramsOf(wanted)).toEqual({ for_ms: 86_400_000, uses: 3 });
  expect(paramsOf({ ...wanted, host: ' web-1 ', labels: 'role=db, site=berlin', approve: true })).toEqual({ for_ms: 86_400_000, host: 'web-1', labels: { role: 'db', site: 'berlin' }, approve: true });
});

test.each([
  [{ uses: '0' }, 'Hosts is “0”; write a whole number from 1 to 100000'],
  [{ uses: 'three' }, 'Hosts is “three”; write a whole number from 1 to 100000'],
  [{ hours: '1.5' }, 'Hours is “1.5”; write a whole number from 1 to 8760'],
  [{ labels: 'role' }, '“role” is not a label; write role=db'],
])('%j is refused with its place and the fix', (more, want) => {
  expect(() => paramsOf({ ...wanted, ...more })).toThrow(want);
});

test('the line has words that no shell takes apart', () => {
  expect(joinLine('https://m:50505', 'vedette_join_abc.def', 'web-1')).toBe('vedette-agent join https://m:50505 --token vedette_join_abc.def --host web-1');
  for (let n = 0; n < 500; n++) {
    const text = Array.from({ length: 1 + Math.floor(Math.random() * 8) }, () => String.fromCharCode(32 + Math.floor(Math.random() * 95))).join('');
    const word = shellWord(text);
    // As a POSIX shell reads it: quoted parts, and \' between them.
    const read = /^'/.test(word) ? word.slice(1, -1).replaceAll(`'\\''`, "'") : word;
    expect(read).toBe(text);
    if (!/^'/.test(word)) expect(word).toMatch(/^[\w@%+=:,./-]+$/);
  }
});

test.each([['localhost', true], ['127.0.0.1', true], ['127.9.9.9', true], ['[::1]', true], ['master.example', false], ['10.0.0.1', false]])('%s reaches only this machine: %s', (name, want) => {
  expect(isLoopback(name)).toBe(want);
});

test.each([['10.0.0.7:38844', '10.0.0.7'], ['[fd00::7]:38844', 'fd00::7'], ['10.0.0.7', '10.0.0.7'], ['', '']])('%s is the machine %s', (from, want) => {
  expect(machineOf(from)).toBe(want);
});

test('who claims a name is named, with why it is refused', () => {
  const claim = { from: '10.0.0.9:1', at_ms: 1, why: 'refused: the name belongs to another host' };
  expect(claimText(member('a', 'joined', { claim }))).toBe('Somebody at 10.0.0.9 claims this name, and is refused: the name belongs to another host');
  expect(claimText(member('a', 'revoked', { claim }))).toContain('asks to join under this name');
  expect(claimText(member('a', 'joined'))).toBe('');
});
