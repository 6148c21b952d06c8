// Recent changes as a timeline.

import { useSignal } from '@preact/signals';
import type { Change } from '../data/changes.ts';
import type { Parts } from '../parts.ts';
import { Ago } from './kit.tsx';

const few = 12;

export function Changes({ fleet }: Parts) {
  const all = useSignal(false);
  const list = fleet.changes.value;
  if (list.length === 0) return null;
  return (
    <section class="card changes" aria-labelledby="changed">
      <h2 id="changed">What changed</h2>
      <ol>
        {list.slice(0, all.value ? list.length : few).map((c) => (
          <Item key={c.id} change={c} />
        ))}
      </ol>
      {list.length > few && (
        <button type="button" class="quiet" onClick={() => (all.value = !all.value)}>
          {all.value ? 'Fewer' : `${list.length - few} more`}
        </button>
      )}
    </section>
  );
}

function Item({ change: c }: { change: Change }) {
  return (
    <li data-tone={c.tone}>
      <i aria-hidden="true" />
      <span>
        {c.href ? <a href={c.href}>{c.text}</a> : c.text}
        {c.by && <span class="times"> by {c.by}</span>}
      </span>
      <Ago ms={c.at} />
      {c.detail && <p>{c.detail}</p>}
    </li>
  );
}
