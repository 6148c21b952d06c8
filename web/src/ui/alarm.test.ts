import { expect, test } from 'vitest';
import type { Problem } from '../data/problems.ts';
import { tabIcon, tabTitle } from './alarm.ts';

const problem = (tone: 'bad' | 'warn'): Problem => ({ id: tone, kind: 'gone', tone, subject: '', title: '', reasons: [], hosts: [], since: 0 });

test('the tab counts what is wrong', () => {
  expect(tabTitle('Now', [])).toBe('Now · Vedette');
  expect(tabTitle('Now', [problem('bad'), problem('warn')])).toBe('(2) Now · Vedette');
  expect(tabTitle('', [problem('bad')])).toBe('(1) Vedette');
});

test('its icon tells how bad it is', () => {
  expect([tabIcon([]), tabIcon([problem('warn')]), tabIcon([problem('warn'), problem('bad')])]).toEqual([
    '/favicon.svg',
    '/favicon-warn.svg',
    '/favicon-bad.svg',
  ]);
});
