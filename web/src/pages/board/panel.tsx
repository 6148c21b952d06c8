// A panel of a board: a chart, a number with its trend, a table or a text. It runs its
// queries only while it is near the screen.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { defineQueryChart } from '../../charts/query-chart.ts';
import { numberOf, type QueryLine } from '../../data/matrix.ts';
import { filled } from '../../data/boards.ts';
import { useQueries, type Results } from '../../data/queries.ts';
import type { BoardPanel } from '../../data/wire.gen.ts';
import { format } from '../../lib/units.ts';
import type { Parts } from '../../parts.ts';
import { Waiting } from '../../ui/kit.tsx';
import { ValueTable } from '../../ui/value-table.tsx';

defineQueryChart();

const every = 5_000; // ms between two questions while time goes by
const mostNumbers = 4;

type Props = Pick<Parts, 'session' | 'store' | 'view'> & { panel: BoardPanel; chosen: Record<string, string> };

export function PanelBody(props: Props) {
  const { panel } = props;
  const box = useRef<HTMLDivElement>(null);
  const near = useSignal(false);
  useEffect(() => {
    const crossing = new IntersectionObserver(([e]) => (near.value = e.isIntersecting), { rootMargin: '200px' });
    if (box.current) crossing.observe(box.current);
    return () => crossing.disconnect();
  }, []);
  return (
    <div class="panel-body" data-kind={panel.kind} ref={box}>
      {panel.kind === 'text' ? <p>{panel.text}</p> : near.value && <Found {...props} />}
    </div>
  );
}

function Found({ panel, chosen, ...parts }: Props) {
  const queries = (panel.queries ?? []).map((q) => filled(q, chosen));
  const { results } = useQueries(parts, queries, panel.kind === 'table' ? 'table' : 'chart', every);
  const found = results.value;
  if (!found) return <Waiting>Asking.</Waiting>;
  const errors = found.errors.filter((e) => e !== null);
  return (
    <>
      {errors.map((e) => (
        <p key={e.message} class="said" role="alert">
          {e.message}
        </p>
      ))}
      {errors.length < queries.length && <Shown panel={panel} found={found} queries={queries} view={parts.view} />}
    </>
  );
}

function Shown({ panel, found, queries, view }: { panel: BoardPanel; found: Results; queries: string[] } & Pick<Parts, 'view'>) {
  if (found.lines.length + found.rows.length === 0) return <Waiting>No values in this time.</Waiting>;
  switch (panel.kind) {
    case 'table':
      return <ValueTable rows={found.rows} queries={queries} unit={found.drawn.unit} />;
    case 'number':
      return <Numbers found={found} />;
    default:
      return <query-chart view={view} answer={found.drawn} label={panel.title || queries.join(', ')} />;
  }
}

function Numbers({ found }: { found: Results }) {
  const { lines } = found;
  return (
    <ul class="numbers">
      {lines.slice(0, mostNumbers).map((line) => (
        <li key={line.full}>
          <b>{format(lastOf(line), found.drawn.unit)}</b>
          {lines.length > 1 && <span>{line.name}</span>}
          <Trend line={line} />
        </li>
      ))}
      {lines.length > mostNumbers && <li class="hint">and {lines.length - mostNumbers} more</li>}
    </ul>
  );
}

function lastOf(line: QueryLine): number {
  const { points } = line.found;
  return numberOf(points[points.length - 1][1]);
}

/** The course of a number, as a path in a box of 100 by 20; '' if there is none. */
export function trendPath(points: [number, string][]): string {
  const known = points.map(([t, v]) => [t, numberOf(v)] as const).filter(([, v]) => Number.isFinite(v));
  if (known.length < 2) return '';
  const values = known.map(([, v]) => v);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [known[0][0], known[known.length - 1][0]];
  const x = (t: number): string => ((100 * (t - first)) / (last - first)).toFixed(1);
  const y = (v: number): string => (high === low ? 10 : 19 - (18 * (v - low)) / (high - low)).toFixed(1);
  return `M${known.map(([t, v]) => `${x(t)} ${y(v)}`).join('L')}`;
}

function Trend({ line }: { line: QueryLine }) {
  const path = trendPath(line.found.points);
  if (!path) return null;
  return (
    <svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
