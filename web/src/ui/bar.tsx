// The bar at the top: the title of the page, the state of the link, and the controls
// that all charts share.

import type { Page } from '../pages.ts';
import type { Parts } from '../parts.ts';
import type { Theme } from '../charts/view.ts';
import { Commands } from './commands.tsx';
import { Link } from './link.tsx';
import { TimeControl } from './time-control.tsx';

const themes: Theme[] = ['system', 'light', 'dark'];

export function Bar(props: Parts & { pages: readonly Page[] }) {
  const { session, view, fleet } = props;
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
      <Wrong fleet={fleet} />
      <span class="push" />
      <Commands {...props} />
      <span class="shared">
        <TimeControl time={view.time} />
        <button
          type="button"
          class="theme"
          title={`Theme: ${view.theme.value}`}
          aria-label={`Theme: ${view.theme.value}`}
          onClick={() =>
            (view.theme.value = themes[(themes.indexOf(view.theme.value) + 1) % themes.length])
          }
        >
          <ThemeIcon theme={view.theme.value} />
        </button>
      </span>
    </header>
  );
}

/** The number of problems; a link to them. */
function Wrong({ fleet }: Pick<Parts, 'fleet'>) {
  const list = fleet.problems.value;
  if (list.length === 0) return null;
  return (
    <a class="alarm" href="/" data-tone={list.some((p) => p.tone === 'bad') ? 'bad' : 'warn'}>
      {list.length === 1 ? '1 problem' : `${list.length} problems`}
    </a>
  );
}

function ThemeIcon({ theme }: { theme: Theme }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true">
      {theme === 'dark' && <path d="M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z" />}
      {theme === 'light' && (
        <path d="M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6zM8 1v1.5M8 13.5v1.5M1 8h1.5M13.5 8h1.5M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1" />
      )}
      {theme === 'system' && (
        <>
          <circle cx="8" cy="8" r="5.8" />
          <path class="solid" d="M8 2.2a5.8 5.8 0 0 1 0 11.6z" />
        </>
      )}
    </svg>
  );
}
