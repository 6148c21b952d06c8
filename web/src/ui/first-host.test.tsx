import { signal } from '@preact/signals';
import { render } from 'preact';
import { expect, test } from 'vitest';
import type { Parts } from '../parts.ts';
import { FirstHost } from './first-host.tsx';

function text(ready: boolean, bound?: string): string {
  const root = document.createElement('div');
  const session = { ready: signal(ready), info: signal({ bound }) };
  render(<FirstHost {...({ session } as unknown as Parts)} />, root);
  return root.textContent ?? '';
}

test('before the list of hosts has come nothing is said of it', () => {
  expect(text(false, 'role=db')).toBe('Asking the master for its hosts.');
});

test('nobody who is bound to some hosts is told that there are none, or how to start one', () => {
  expect(text(true, 'role=db')).toContain('hosts with the labels role=db');
  expect(text(true, 'role=db')).not.toContain('vedette agent');
  expect(text(true)).toContain(`vedette agent --master ${location.origin}`);
  expect(text(true, '')).toContain('No host reports yet');
});
