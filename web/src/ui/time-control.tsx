// The time that all charts show: a window up to now, or a range; live or paused; moved
// and zoomed.

import { useSignal, useSignalEffect } from '@preact/signals';
import { windows, type TimeShown } from '../charts/time.ts';
import { exact } from '../lib/time.ts';
import { duration } from '../lib/units.ts';

export function TimeControl({ time }: { time: TimeShown }) {
  const range = time.range.value;
  return (
    <>
      <span class="moves">
        <button type="button" aria-label="Earlier" title="Earlier ([)" onClick={() => time.shift(-0.5)}>
          ‹
        </button>
        <button type="button" aria-label="Later" title="Later (])" disabled={!range} onClick={() => time.shift(0.5)}>
          ›
        </button>
        <button type="button" aria-label="Zoom out" title="Zoom out (-)" onClick={() => time.zoomOut()}>
          −
        </button>
      </span>
      <fieldset class="segments">
        <legend class="unseen">Time shown</legend>
        {windows.map(({ ms, label }) => (
          <button key={ms} type="button" aria-pressed={!range && time.window.value === ms} onClick={() => time.live(ms)}>
            {label}
          </button>
        ))}
      </fieldset>
      <RangeMenu time={time} />
      {range ? (
        <button type="button" class="pause" onClick={() => time.live()}>
          Live
        </button>
      ) : (
        <Pause time={time} />
      )}
    </>
  );
}

function RangeMenu({ time }: { time: TimeShown }) {
  const range = time.range.value;
  const open = useSignal(false);
  const form = useSignal<typeof import('./range-form.tsx').RangeForm | null>(null);
  const turn = (on: boolean): void => {
    open.value = on;
    if (on) void import('./range-form.tsx').then((m) => (form.value = m.RangeForm));
  };
  const Form = form.value;
  return (
    <details class="menu range" open={open.value} onToggle={(e) => turn(e.currentTarget.open)}>
      <summary class="button" data-on={range ? '' : undefined}>
        {range ? rangeText(range.from, range.to, Date.now()) : 'Range'}
      </summary>
      {open.value && Form && <Form time={time} done={() => (open.value = false)} />}
    </details>
  );
}

/** 03:10 – 03:25 today; otherwise with dates, and years if they differ. */
export function rangeText(from: number, to: number, now: number): string {
  const [a, b, today] = [from, to, now].map(exact);
  const same = (length: number): boolean => [a, b].every((text) => text.slice(0, length) === today.slice(0, length));
  const begin = same(4) ? 5 : 0;
  const clock = (text: string): string => text.slice(11, to - from < 10 * 60_000 ? 19 : 16);
  const whole = (text: string): string => `${text.slice(begin, 10)} ${clock(text)}`;
  return `${same(10) ? clock(a) : whole(a)} – ${a.slice(0, 10) === b.slice(0, 10) ? clock(b) : whole(b)}`;
}

/** Stops and starts the charts, and says how far behind they are. */
function Pause({ time }: { time: TimeShown }) {
  const behind = useSignal('');
  useSignalEffect(() => {
    const at = time.pausedAt.value;
    if (at === null) {
      behind.value = '';
      return undefined;
    }
    const tell = (): void => {
      behind.value = `${duration(Math.round((Date.now() - at) / 1000))} behind`;
    };
    tell();
    const timer = setInterval(tell, 1_000);
    return () => clearInterval(timer);
  });
  const paused = time.pausedAt.value !== null;
  return (
    <button
      type="button"
      class="pause"
      aria-pressed={paused}
      onClick={() => (time.pausedAt.value = paused ? null : Date.now())}
    >
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path d={paused ? 'M3 1.5v9l7-4.5z' : 'M2.5 1.5h2.5v9H2.5zM7 1.5h2.5v9H7z'} />
      </svg>
      {paused ? 'Resume' : 'Pause'}
      {paused && <span class="behind">{behind}</span>}
    </button>
  );
}
