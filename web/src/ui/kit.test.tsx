import { render } from 'preact';
import { expect, test } from 'vitest';
import { Ago, Empty, Fault, Head, State, toneOf } from './kit.tsx';

function html(node: any): HTMLElement {
  const root = document.createElement('div');
  render(node, root);
  return root;
}

test('a state is a word and a shape', () => {
  const root = html(<State state="quarantined" />);
  expect(root.textContent).toBe('quarantined');
  expect(root.firstElementChild!.getAttribute('data-tone')).toBe('bad');
  expect(root.querySelector('i')!.getAttribute('aria-hidden')).toBe('true');
});

test('refused, failing and starved are no success, and a word that nobody knows is plain', () => {
  expect(['refused', 'failing', 'starved'].map(toneOf)).toEqual(['warn', 'warn', 'warn']);
  expect(toneOf('something')).toBe('plain');
});

test('a time is relative, and exact for who points at it', () => {
  const ms = Date.now() - 3 * 60_000 - 500;
  const time = html(<Ago ms={ms} />).querySelector('time')!;
  expect(time.textContent).toBe('3 min ago');
  expect(time.title).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  expect(time.dateTime).toBe(new Date(ms).toISOString());
  expect(html(<Ago ms={ms} since />).textContent).toBe('for 3 min');
  expect(html(<Ago ms={0} />).textContent).toBe('never');
});

test('who is bound to some hosts is told so beside their number', () => {
  expect(html(<Head title="Now" count="12 up" bound="role in (<b>db</b>)" />).textContent).toBe('Now12 upYou see hosts with role in (<b>db</b>)');
  expect(html(<Head title="Now" count="12 up" bound="" />).textContent).toBe('Now12 up');
  expect(html(<Head title="Now" count="12 up" />).textContent).toBe('Now12 up');
});

test('an empty state tells the next step', () => {
  const root = html(<Empty title="No host" command="vedette agent" first />);
  expect(root.querySelector('h1')!.textContent).toBe('No host');
  expect(root.querySelector('pre')!.textContent).toBe('vedette agent');
});

test('markup in an error is text', () => {
  const root = html(<Fault what="cannot push" error={new Error('<img src=x>')} />);
  expect(root.querySelector('img')).toBeNull();
  expect(root.textContent).toContain('cannot push: <img src=x>');
});
