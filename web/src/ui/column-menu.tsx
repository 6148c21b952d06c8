// Which columns the table of hosts has: those of its own, and any key.

import { useSignal } from '@preact/signals';
import { compareNames } from '../data/names.ts';
import type { Parts } from '../parts.ts';
import { columns, usual, type HostColumn } from './host-columns.tsx';

const mostHosts = 50; // whose keys are proposed

export function ColumnMenu({ store, chosen, choose }: Pick<Parts, 'store'> & { chosen: HostColumn[]; choose: (cols: string) => void }) {
  const key = useSignal('');
  const ids = chosen.map((c) => c.id);
  const set = (next: string[]): void => choose(next.join(',') === usual.join(',') ? '' : next.join(','));
  const turn = (id: string): void => {
    const all = [...columns.map((c) => c.id), ...ids.filter((i) => i.includes('/'))];
    const on = ids.includes(id) ? ids.filter((i) => i !== id) : [...ids, id];
    set(all.filter((i) => on.includes(i)));
  };
  const add = (e: Event): void => {
    e.preventDefault();
    if (key.value.includes('/') && !ids.includes(key.value)) set([...ids, key.value]);
    key.value = '';
  };
  const keys = new Set(store.hosts.value.slice(0, mostHosts).flatMap((h) => [...h.byKey.keys()]));
  return (
    <details class="menu">
      <summary class="button">Columns</summary>
      <div class="card">
        {[...columns.filter((c) => c.id !== 'host'), ...chosen.filter((c) => c.id.includes('/'))].map((c) => (
          <label key={c.id}>
            <input type="checkbox" checked={ids.includes(c.id)} onChange={() => turn(c.id)} /> {c.title}
          </label>
        ))}
        <form onSubmit={add}>
          <input
            class="field"
            aria-label="Key of another column"
            placeholder="tcp/established"
            list="hosts-keys"
            value={key}
            onInput={(e) => (key.value = e.currentTarget.value)}
          />
          <datalist id="hosts-keys">
            {[...keys].sort(compareNames).map((k) => (
              <option key={k} value={k} />
            ))}
          </datalist>
        </form>
      </div>
    </details>
  );
}
