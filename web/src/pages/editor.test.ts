import { expect, test } from 'vitest';
import { Store } from '../data/store.ts';
import { knownLabels } from './editor.tsx';

test('labels of many hosts are offered before their names, each once', () => {
  const store = new Store();
  for (let i = 0; i < 1000; i++) {
    store.setHost({ host: `h${i}`, state: 'up', since_ms: 1, last_seen_ms: 1, skew_ms: 0, series: 0, samples: 0, labels: { zone: 'abc'[i % 3], role: i % 2 ? 'web' : 'db' } });
  }
  const known = knownLabels(store);
  expect(known.slice(0, 5)).toEqual(['role=db', 'role=web', 'zone=a', 'zone=b', 'zone=c']);
  expect(known[5]).toBe('host=h0');
  expect(known.length).toBe(500);
});
