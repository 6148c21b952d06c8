// Explore: queries in PromQL on one range of time, as a chart or as a table.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { pinLink } from '../charts/chart-menu.ts';
import { defineQueryChart } from '../charts/query-chart.ts';
import { linesCSV, tableCSV } from '../data/matrix.ts';
import { PromError } from '../data/prom.ts';
import { mostDrawn, useQueries, type Form, type Results } from '../data/queries.ts';
import { definePromqlEditor, type PromqlEditor } from '../editor/promql-editor.ts';
import { download } from '../lib/download.ts';
import { unitNames } from '../lib/units.ts';
import type { PageProps } from '../parts.ts';
import { ExploreTabs } from '../ui/explore-tabs.tsx';
import { Empty, Head, Waiting } from '../ui/kit.tsx';
import { ValueTable } from '../ui/value-table.tsx';
import { forgetQueries, mostQueries, pastQueries, queriesOf, remember, withQueries } from './explore/state.ts';
import '../style/work.css';
import '../style/explore.css';

definePromqlEditor();
defineQueryChart();

const every = 2_000; // ms between two questions while time goes by
const letters = 'ABCDEFGH';

const examples: [string, string][] = [
  ['load_average_1', 'the load of every host'],
  ['cpu_used_percent and topk(5, cpu_used_percent @ end())', 'the five hosts that are busiest now'],
  ['rate(network_receive_bytes_total[1m])', 'what each network card receives'],
  ['max by (host) (disk_used_percent)', 'the fullest disk of each host'],
];

export default function ExplorePage(parts: PageProps) {
  const { router, session, view } = parts;
  const asked = queriesOf(router.query.value);
  const texts = useSignal<string[]>(asked.length > 0 ? asked : ['']);
  useEffect(() => {
    if (asked.length > 0) texts.value = asked;
  }, [JSON.stringify(asked)]);
  const form: Form = router.get('as') === 'table' ? 'table' : 'chart';
  const { results, busy, again } = useQueries(parts, asked, form, every);
  const run = (list = texts.peek()): void => {
    remember(list);
    const before = location.search;
    router.set({ ...withQueries(list), hide: '' }, true);
    if (location.search === before) again();
  };
  const put = (i: number, text: string): void => void (texts.value = texts.peek().map((t, at) => (at === i ? text : t)));
  const drop = (i: number): void => {
    texts.value = texts.peek().filter((_, at) => at !== i);
    run();
  };
  const found = results.value;
  return (
    <>
      <Head title="Explore">
        <Past choose={(q) => run([...texts.peek().filter((t) => t.trim() !== '' && t !== q), q].slice(-mostQueries))} />
        <span class="segments" role="group" aria-label="Form">
          {(['chart', 'table'] as const).map((f) => (
            <button key={f} type="button" aria-pressed={form === f} onClick={() => router.set({ as: f === 'chart' ? '' : f })}>
              {f === 'chart' ? 'Chart' : 'Table'}
            </button>
          ))}
        </span>
        {session.may('operator') && asked.length > 0 && (
          <a class="button" href={pinLink(asked[0], asked, location.search)}>
            Pin
          </a>
        )}
        <button type="button" class="button" disabled={!found || found.lines.length + found.rows.length === 0} onClick={() => found && saveCSV(found, form, asked)}>
          CSV
        </button>
      </Head>
      <ExploreTabs session={session} here="explore" />
      <div class="queries">
        {texts.value.map((text, i) => (
          <Query
            key={`${i}`}
            letter={letters[i]}
            text={text}
            error={asked[i] === text.trim() ? (found?.errors[i] ?? null) : null}
            session={session}
            put={(t) => put(i, t)}
            run={() => run()}
            drop={texts.value.length > 1 ? () => drop(i) : undefined}
          />
        ))}
        <div class="row">
          <button type="button" class="button first" onClick={() => run()}>
            Run
          </button>
          {texts.value.length < mostQueries && (
            <button type="button" class="button" onClick={() => (texts.value = [...texts.peek(), ''])}>
              Add a query
            </button>
          )}
          <span class="hint" role="status">
            {said(found, busy.value, form)}
          </span>
        </div>
      </div>
      {asked.length === 0 ? (
        <Examples run={(q) => run([q])} />
      ) : !found ? (
        <Waiting>Asking the master.</Waiting>
      ) : (
        <section class="card found" aria-label="What was found" data-found={found.lines.length + found.rows.length}>
          {found.warnings.map((w) => (
            <p key={w} class="hint">
              {w}
            </p>
          ))}
          {form === 'chart' && found.lines.length > 0 && (
            <query-chart
              class="tall"
              view={view}
              answer={found.drawn}
              stats
              label={`Chart of ${asked.join(', ')}`}
              off={router.get('hide').split('\n').filter(Boolean)}
              hides={(list) => router.set({ hide: list.join('\n') })}
            />
          )}
          {form === 'table' && found.rows.length > 0 && <ValueTable rows={found.rows} queries={asked} unit={found.drawn.unit} />}
          {found.lines.length + found.rows.length === 0 && <Nothing failed={found.errors.every((e) => e !== null)} />}
        </section>
      )}
    </>
  );
}

function Nothing({ failed }: { failed: boolean }) {
  if (failed) return <Waiting>The query failed; its message says why.</Waiting>;
  return <Waiting>No series has values in this time. Try a longer time, or fewer labels.</Waiting>;
}

function saveCSV(found: Results, form: Form, queries: string[]): void {
  download('vedette.csv', 'text/csv', form === 'table' ? tableCSV(found.rows, queries) : linesCSV(found.lines));
}

/** The note about an answer. */
export function said(found: Results | null, busy: boolean, form: Form): string {
  if (!found) return busy ? 'Asking.' : '';
  const n = form === 'table' ? found.rows.length : found.lines.length;
  const unit = unitNames[found.drawn.unit];
  const what = `${n} series${form === 'chart' && n > 0 && unit ? `, ${unit}` : ''}`;
  return form === 'chart' && n > mostDrawn ? `${what}; the ${mostDrawn} largest are drawn, CSV has all` : what;
}

interface QueryProps {
  letter: string;
  text: string;
  error: Error | null;
  session: PageProps['session'];
  put: (text: string) => void;
  run: () => void;
  drop?: () => void;
}

function Query({ letter, text, error, session, put, run, drop }: QueryProps) {
  const editor = useRef<PromqlEditor>(null);
  const copied = useSignal(false);
  const copy = (): void => {
    navigator.clipboard?.writeText(text).then(
      () => (copied.value = true),
      () => {},
    );
    setTimeout(() => (copied.value = false), 2_000);
  };
  return (
    <div class="query" data-query={letter}>
      <b aria-hidden="true">{letter}</b>
      <promql-editor ref={editor} value={text} changed={put} run={run} fetch={session.fetch} fault={error instanceof PromError ? error : null} label={`Query ${letter}`} />
      <button type="button" class="button" aria-label={`Copy query ${letter}`} onClick={copy}>
        {copied.value ? 'Copied' : 'Copy'}
      </button>
      {drop && (
        <button type="button" class="button" aria-label={`Remove query ${letter}`} onClick={drop}>
          Remove
        </button>
      )}
      {error && (
        <p class="said" role="alert">
          {error.message}{' '}
          {error instanceof PromError && error.line > 0 && (
            <button type="button" class="text-link" onClick={() => editor.current?.goTo(error.line, error.col)}>
              at {error.line}:{error.col}
            </button>
          )}
        </p>
      )}
    </div>
  );
}

/** The queries that were asked in this browser. */
function Past({ choose }: { choose: (query: string) => void }) {
  const list = useSignal<string[] | null>(null);
  return (
    <details class="menu past" onToggle={(e) => (list.value = e.currentTarget.open ? pastQueries() : null)}>
      <summary class="button">History</summary>
      {list.value && (
        <div class="card">
          {list.value.length === 0 && <p class="hint">Queries that you run are listed here.</p>}
          {list.value.map((q) => (
            <button
              key={q}
              type="button"
              onClick={(e) => {
                e.currentTarget.closest('details')!.open = false;
                choose(q);
              }}
            >
              <code>{q}</code>
            </button>
          ))}
          {list.value.length > 0 && (
            <button
              type="button"
              class="text-link"
              onClick={() => {
                forgetQueries();
                list.value = [];
              }}
            >
              Forget them
            </button>
          )}
        </div>
      )}
    </details>
  );
}

function Examples({ run }: { run: (query: string) => void }) {
  return (
    <Empty title="Ask for any series, or for what is computed from them">
      Names, labels and functions are completed while you type; Enter runs. For example:
      <ul class="examples">
        {examples.map(([query, what]) => (
          <li key={query}>
            <button type="button" class="text-link" onClick={() => run(query)}>
              <code>{query}</code>
            </button>{' '}
            {what}
          </li>
        ))}
      </ul>
    </Empty>
  );
}
