// The form behind Range: the range that all charts show.

import { useSignal } from '@preact/signals';
import type { TimeShown } from '../charts/time.ts';
import { exact } from '../lib/time.ts';
import { longest, shortest } from '../lib/time-url.ts';
import { duration } from '../lib/units.ts';

/** 2026-11-30T03:10, as a field of the browser wants it. */
function fieldText(ms: number): string {
  return exact(ms).replace(' ', 'T').slice(0, 19);
}

export function RangeForm({ time, done }: { time: TimeShown; done: () => void }) {
  const wrong = useSignal('');
  const submit = (e: SubmitEvent): void => {
    e.preventDefault();
    const form = new FormData(e.currentTarget as HTMLFormElement);
    const [from, to] = ['from', 'to'].map((n) => new Date(String(form.get(n))).getTime());
    if (!Number.isFinite(from) || !Number.isFinite(to)) return;
    wrong.value = faultOf(from, to, Date.now());
    if (wrong.value) return;
    time.show(from, to);
    done();
  };
  const { shown } = time;
  return (
    <form class="card" onSubmit={submit}>
      <label>
        From
        <input class="field" type="datetime-local" name="from" step="1" value={fieldText(shown.from)} required />
      </label>
      <label>
        To
        <input class="field" type="datetime-local" name="to" step="1" value={fieldText(shown.to)} required />
      </label>
      <p class="said" role="alert">
        {wrong}
      </p>
      <button type="submit" class="button first">
        Show
      </button>
    </form>
  );
}

/** The fault of a range, or ''. */
export function faultOf(from: number, to: number, now: number): string {
  const span = Math.abs(to - from);
  if (Math.min(from, to) >= now) return 'Nothing is measured in the future.';
  if (span < shortest) return `At least ${duration(shortest / 1000)} can be shown.`;
  if (span > longest) return `At most ${duration(longest / 1000)} can be shown, and this is ${duration(span / 1000)}.`;
  return '';
}
