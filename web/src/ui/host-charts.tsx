// Every host with its charts: the second form of the page of hosts.

import { useMemo } from 'preact/hooks';
import { fits, parseQuery, noHost } from '../data/query.ts';
import type { Parts } from '../parts.ts';
import { Folds } from './folds.ts';
import type { HostRow } from './host-columns.tsx';
import { HostPanel } from './panel.tsx';

export function HostCharts({ rows, query, ...parts }: Parts & { rows: HostRow[]; query: string }) {
  const folds = useMemo(() => new Folds(), []);
  const terms = parseQuery(query);
  const shown = rows.filter((r) => fits(terms, r));
  return (
    <>
      {rows.length > 1 && <FoldAll names={shown.map((r) => r.name)} folds={folds} />}
      {shown.map(({ host }) => (
        <HostPanel key={host.name} host={host} folds={folds} {...parts} />
      ))}
      {shown.length === 0 && <p class="waiting">{noHost(query)}</p>}
    </>
  );
}

function FoldAll({ names, folds }: { names: string[]; folds: Folds }) {
  const all = names.length > 0 && names.every((n) => folds.has(n));
  return (
    <button type="button" class="quiet fold-all" onClick={() => folds.set(names, !all)}>
      {all ? 'Unfold all' : 'Fold all'}
    </button>
  );
}
