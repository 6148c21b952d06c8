// The first page: every host with its charts.

import { useComputed, useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { PageProps } from '../parts.ts';
import type { HostModel } from '../data/store.ts';
import { Folds } from '../ui/folds.ts';
import { HostPanel } from '../ui/panel.tsx';

const filterFrom = 4; // hosts from which a filter is of use

export default function HostsPage(parts: PageProps) {
  const { store, session } = parts;
  const filter = useSignal('');
  const folds = useMemo(() => new Folds(), []);
  const hosts = store.hosts.value;
  const shown = useComputed(() => matching(store.hosts.value, filter.value));
  const gone = hosts.filter((h) => h.gone).length;
  const up = hosts.length - gone;
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>Hosts</h1>
        <span class="count">
          {up} up{gone > 0 && `, ${gone} gone`}
        </span>
        {hosts.length > 1 && <FoldAll names={shown.value.map((h) => h.name)} folds={folds} />}
        {hosts.length >= filterFrom && (
          <input
            type="search"
            class="filter"
            placeholder="Filter hosts"
            aria-label="Filter hosts"
            value={filter}
            onInput={(e) => (filter.value = e.currentTarget.value)}
          />
        )}
      </div>
      {shown.value.map((host) => (
        <HostPanel key={host.name} host={host} folds={folds} {...parts} />
      ))}
      {hosts.length > 0 && shown.value.length === 0 && <p class="waiting">No host matches.</p>}
      {hosts.length === 0 && <Empty ready={session.ready.value} />}
    </>
  );
}

function FoldAll({ names, folds }: { names: string[]; folds: Folds }) {
  const all = names.length > 0 && names.every((n) => folds.has(n));
  return (
    <button type="button" class="quiet" onClick={() => folds.set(names, !all)}>
      {all ? 'Unfold all' : 'Fold all'}
    </button>
  );
}

function matching(hosts: HostModel[], filter: string): HostModel[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return hosts;
  return hosts.filter((h) => {
    const labels = Object.entries(h.info.value?.labels ?? {}).map(([k, v]) => `${k}=${v}`);
    const text = [h.name, h.info.value?.state, ...labels].join(' ').toLowerCase();
    return words.every((w) => text.includes(w));
  });
}

function Empty({ ready }: { ready: boolean }) {
  if (!ready) return <p class="waiting">Asking the master for its hosts.</p>;
  return (
    <section class="empty">
      <h2>No host reports yet</h2>
      <p>Start an agent on a host and it appears here within a second:</p>
      <pre>vedette agent --master {location.origin}</pre>
    </section>
  );
}
