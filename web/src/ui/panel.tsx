// One host on the first page. Its charts exist only while it is near the screen, so a
// page with hundreds of hosts costs as much as its visible part.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Parts } from '../parts.ts';
import type { HostModel } from '../data/store.ts';
import { hostPath } from '../lib/router.ts';
import { Charts } from './charts.tsx';
import type { Folds } from './folds.ts';
import { Condition, Facts, Problems } from './state.tsx';
import { Stats } from './stats.tsx';

const margin = '800px'; // around the screen
const rest = 150; // ms for which a panel has to stay near, or away

export function HostPanel({ host, folds, ...parts }: Parts & { host: HostModel; folds: Folds }) {
  const section = useRef<HTMLElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const near = useSignal(false);
  const height = useSignal(folds.height);
  const folded = folds.has(host.name);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const seen = (is: boolean): void => {
      if (!is && near.peek() && body.current) {
        height.value = folds.height = body.current.offsetHeight;
      }
      near.value = is;
    };
    let first = true;
    const observer = new IntersectionObserver(
      ([entry]) => {
        clearTimeout(timer);
        if (first) seen(entry.isIntersecting);
        else timer = setTimeout(() => seen(entry.isIntersecting), rest);
        first = false;
      },
      { rootMargin: `${margin} 0px` },
    );
    observer.observe(section.current!);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  }, []);

  return (
    <section ref={section} class={host.gone ? 'panel gone' : 'panel'} data-host={host.name}>
      <header>
        <button
          type="button"
          class="fold"
          aria-expanded={!folded}
          aria-label={`Charts of ${host.name}`}
          onClick={() => folds.set([host.name], !folded)}
        >
          <svg viewBox="0 0 12 12" aria-hidden="true">
            <path d="M2.5 4l3.5 4 3.5-4" />
          </svg>
        </button>
        <h2>
          <a href={hostPath(host.name)}>{host.name}</a>
        </h2>
        <Condition host={host} store={parts.store} session={parts.session} />
        {folded && <Stats host={host} />}
        <Facts host={host} />
      </header>
      <Problems host={host} />
      {!folded && (
        <div ref={body} class="body" style={near.value ? undefined : { height: `${height.value}px` }}>
          {near.value && <Charts host={host} view={parts.view} />}
        </div>
      )}
    </section>
  );
}
