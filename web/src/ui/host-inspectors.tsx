// The inspectors of a host: their origin, their state, their cost, and why they do not
// run.

import { useSignal } from '@preact/signals';
import type { HostModel } from '../data/store.ts';
import type { CatalogEntry, InspectorStatus } from '../data/wire.ts';
import type { Parts } from '../parts.ts';
import { below } from '../lib/router.ts';
import { duration } from '../lib/units.ts';
import { Fault, State } from './kit.tsx';
import { Origin } from './origin.tsx';

type Shared = Pick<Parts, 'session' | 'fleet'> & { host: HostModel };

export function HostInspectors({ host, session, fleet }: Shared) {
  const list = host.info.value?.inspectors ?? [];
  const error = useSignal<unknown>(null);
  if (list.length === 0) return null;
  const entries = new Map(fleet.catalog.value.map((e) => [e.name, e]));
  const sorted = [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
  const release = (inspector: string): void => {
    session.rpc.call('inspectors.release', { host: host.name, inspector }).then(
      () => {
        error.value = null;
        void session.look(host.name);
      },
      (e) => (error.value = e),
    );
  };
  return (
    <section class="inspectors">
      <h2 id="inspectors">Inspectors</h2>
      {error.value !== null && <Fault what="cannot release the inspector" error={error.value} />}
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="inspectors">
        <table>
          <thead>
            <tr>
              <th scope="col">Inspector</th>
              <th scope="col">State</th>
              <th scope="col">From</th>
              <th scope="col">Kind</th>
              {['Interval', 'Runs', 'Failures', 'Timeouts', 'Missed', 'Crashes'].map((title) => (
                <th key={title} scope="col" class="number">
                  {title}
                </th>
              ))}
              <th scope="col">Last error</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((i) => (
              <Row key={i.name} inspector={i} entry={entries.get(i.name)} release={session.may('operator') ? release : undefined} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface RowProps {
  inspector: InspectorStatus;
  entry: CatalogEntry | undefined;
  release: ((name: string) => void) | undefined;
}

function Row({ inspector: i, entry, release }: RowProps) {
  const counts = [i.runs, i.failures, i.timeouts, i.missed, i.crashes];
  return (
    <tr data-inspector={i.name}>
      <th scope="row">
        <div class="row-name">
          <a href={below('/inspectors', i.name)}>{i.name}</a>
        </div>
      </th>
      <td>
        <State state={i.state} />
        {i.state === 'quarantined' && release && (
          <button type="button" class="as-table" onClick={() => release(i.name)}>
            {' '}
            Release
          </button>
        )}
      </td>
      <td>
        <Origin inspector={i} entry={entry} />
      </td>
      <td>{i.kind}</td>
      <td class="number">
        {duration(i.interval_ms / 1000)}
        {i.boosted_ms ? `, now ${duration(i.boosted_ms / 1000)}` : ''}
      </td>
      {counts.map((n, at) => (
        <td key={at} class={at > 0 && n === 0 ? 'number zero' : 'number'}>
          {n.toLocaleString('en')}
        </td>
      ))}
      <td class="error">{i.error}</td>
    </tr>
  );
}
