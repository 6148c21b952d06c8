import { beforeAll, expect, test, vi } from 'vitest';
import { definePromqlEditor, type PromqlEditor } from './promql-editor.ts';

beforeAll(() => definePromqlEditor());

function editor(more: Partial<PromqlEditor> = {}): PromqlEditor {
  const element = Object.assign(document.createElement('promql-editor') as PromqlEditor, { fetch: async () => new Response('{"status":"success","data":[]}'), ...more });
  document.body.append(element);
  return element;
}
const content = (e: PromqlEditor): HTMLElement => e.shadowRoot!.querySelector('.cm-content')!;

test('an expression is shown as text, and named for who cannot see it', () => {
  const e = editor({ label: 'Query 2', value: 'up{host="<b>x</b>"}' });
  expect(content(e).textContent).toBe('up{host="<b>x</b>"}');
  expect(content(e).querySelector('b')).toBeNull();
  expect(content(e).getAttribute('aria-label')).toBe('Query 2');
  e.remove();
});

test('what is given is not told as typed, and Enter runs', () => {
  const changed = vi.fn();
  const run = vi.fn();
  const e = editor({ changed, run });
  e.value = 'rate(x[1m])';
  expect(content(e).textContent).toBe('rate(x[1m])');
  expect(changed).not.toHaveBeenCalled();
  content(e).dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
  expect(run).toHaveBeenCalledTimes(1);
  expect(e.value).toBe('rate(x[1m])');
  content(e).dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', shiftKey: true, bubbles: true, cancelable: true }));
  expect(run).toHaveBeenCalledTimes(1);
  expect(changed).toHaveBeenCalledTimes(1);
  expect(e.value).toContain('\n');
  e.remove();
});

test('what the master says of an expression is marked at its place', async () => {
  const e = editor({ value: 'sum(up' });
  e.fault = { message: 'unclosed left parenthesis', line: 1, col: 4 };
  await vi.waitFor(() => expect(e.shadowRoot!.querySelector('.cm-lintRange-error')).not.toBeNull());
  e.remove();
});
