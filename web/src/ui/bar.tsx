// The bar at the top: where we are, how the link is, and what all charts share.

import { useSignal, useSignalEffect } from '@preact/signals';
import type { Parts } from '../app.tsx';
import { windows, type Theme } from '../charts/view.ts';
import { duration } from '../lib/units.ts';
import { Link } from './link.tsx';

const themes: Theme[] = ['system', 'light', 'dark'];

export function Bar({ session, view }: Parts) {
  const info = session.info.value;
  return (
    <header class="bar">
      <a class="brand" href="/">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="7" />
          <path d="M6 17h5l3-8 5 14 3-6h4" />
        </svg>
        Vedette
      </a>
      {info && (
        <span class="master" title={`Vedette ${info.version}`}>
          {info.name}
        </span>
      )}
      <Link session={session} />
      <span class="push" />
      <fieldset class="segments">
        <legend class="unseen">Time shown</legend>
        {windows.map((minutes) => (
          <button
            type="button"
            aria-pressed={view.window.value === minutes * 60_000}
            onClick={() => (view.window.value = minutes * 60_000)}
          >
            {minutes} min
          </button>
        ))}
      </fieldset>
      <Pause view={view} />
      <button
        type="button"
        class="theme"
        title="Theme: system, light, dark"
        onClick={() =>
          (view.theme.value = themes[(themes.indexOf(view.theme.value) + 1) % themes.length])
        }
      >
        <span class="unseen">Theme: </span>
        {view.theme}
      </button>
    </header>
  );
}

/** Stops and starts the charts, and says how far behind they are. */
function Pause({ view }: Pick<Parts, 'view'>) {
  const behind = useSignal('');
  useSignalEffect(() => {
    const at = view.pausedAt.value;
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
  const paused = view.pausedAt.value !== null;
  return (
    <button
      type="button"
      class="pause"
      aria-pressed={paused}
      onClick={() => (view.pausedAt.value = paused ? null : Date.now())}
    >
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path d={paused ? 'M3 1.5v9l7-4.5z' : 'M2.5 1.5h2.5v9H2.5zM7 1.5h2.5v9H7z'} />
      </svg>
      {paused ? 'Resume' : 'Pause'}
      {paused && <span class="behind">{behind}</span>}
    </button>
  );
}
