// Hosts side by side: a chart for each key. A few hosts have a line each; many are a
// heat map, and a band that contains most of them.

import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { defineBandChart } from '../charts/band-chart.ts';
import { exploreLink } from '../charts/chart-menu.ts';
import { defineHeatMap } from '../charts/heat-map.ts';
import { defineQueryChart } from '../charts/query-chart.ts';
import { bandOf, heatOf, mostLines, only, queryFor, titleOf, usualKeys } from '../data/compare.ts';
import { compareNames } from '../data/names.ts';
import { fits, noHost, parseQuery } from '../data/query.ts';
import { gridOf, useQueries, type Results } from '../data/queries.ts';
import { hostPath } from '../lib/router.ts';
import type { PageProps } from '../parts.ts';
import { Empty, Head, Waiting } from '../ui/kit.tsx';
import { subjectOf } from '../ui/host-subject.ts';
import '../style/work.css';
import '../style/explore.css';
import '../style/compare.css';

defineQueryChart();
defineHeatMap();
defineBandChart();

const every = 5_000; // ms between two questions while time goes by

export default function ComparePage(parts: PageProps) {
  const { session, store, router, fleet } = parts;
  const named = router.get('hosts').split(',').filter(Boolean);
  const query = router.get('q');
  const terms = parseQuery(query);
  const chosen = store.hosts.value
    .filter((h) => (named.length > 0 ? named.includes(h.name) : fits(terms, subjectOf(h, fleet.wrong.value.get(h.name)?.words ?? []))))
    .map((h) => h.name);
  const hosts = useMemo(() => chosen, [chosen.join('\n')]);
  const keys = router.get('keys') ? router.get('keys').split(',').filter(Boolean) : usualKeys;
  if (hosts.length === 0) {
    if (!session.ready.value) return <Waiting>Asking the master for its hosts.</Waiting>;
    return (
      <Empty title="No host to compare" first>
        {named.length > 0 ? `None of ${named.join(', ')} has reported.` : noHost(query)} <a href="/hosts">Choose some in the table of hosts</a>
      </Empty>
    );
  }
  return (
    <>
      <Head title="Compare" count={`${hosts.length} ${hosts.length === 1 ? 'host' : 'hosts'}`} bound={session.info.value?.bound}>
        <KeyField store={store} add={(key) => router.set({ keys: [...keys.filter((k) => k !== key), key].join(',') })} />
        <a class="button" href="/hosts">
          Other hosts
        </a>
      </Head>
      {named.length === 0 && query !== '' && <p class="hint">Hosts that fit “{query}”.</p>}
      <div class="compares">
        {keys.map((key) => (
          <Compared key={key} {...parts} of={key} hosts={hosts} remove={() => router.set({ keys: keys.filter((k) => k !== key).join(',') })} />
        ))}
      </div>
    </>
  );
}

function KeyField({ store, add }: Pick<PageProps, 'store'> & { add: (key: string) => void }) {
  const key = useSignal('');
  const keys = new Set(store.hosts.value.slice(0, 50).flatMap((h) => [...h.byKey.keys()]));
  const submit = (e: Event): void => {
    e.preventDefault();
    const name = key.peek().trim();
    if (/^[\w./:-]+$/.test(name)) add(name);
    key.value = '';
  };
  return (
    <form class="row" onSubmit={submit}>
      <input class="field" aria-label="Key to compare" placeholder="tcp/sockets" list="compare-keys" value={key} onInput={(e) => (key.value = e.currentTarget.value)} />
      <datalist id="compare-keys">
        {[...keys].sort(compareNames).map((k) => (
          <option key={k} value={k} />
        ))}
      </datalist>
      <button type="submit" class="button">
        Add
      </button>
    </form>
  );
}

type Props = PageProps & { of: string; hosts: string[]; remove: () => void };

function Compared({ of, hosts, remove, ...parts }: Props) {
  const box = useRef<HTMLElement>(null);
  const near = useSignal(false);
  useEffect(() => {
    const crossing = new IntersectionObserver(([e]) => (near.value = e.isIntersecting), { rootMargin: '300px' });
    crossing.observe(box.current!);
    return () => crossing.disconnect();
  }, []);
  const { title } = titleOf(of);
  return (
    <section class="card compare" data-key={of} aria-label={title} ref={box}>
      <header class="row">
        <h2>{title}</h2>
        <a class="as-table" href={exploreLink([queryFor(of, hosts)], location.search)} aria-label={`Open ${of} in Explore`}>
          Explore
        </a>
        <button type="button" class="as-table" aria-label={`Remove ${of}`} onClick={remove}>
          Remove
        </button>
      </header>
      {near.value && <Found of={of} hosts={hosts} {...parts} />}
    </section>
  );
}

function Found({ of, hosts, ...parts }: Omit<Props, 'remove'>) {
  const { results } = useQueries(parts, [queryFor(of, hosts)], 'chart', every);
  const found = results.value;
  if (!found) return <Waiting>Asking.</Waiting>;
  if (found.errors[0]) {
    return (
      <p class="said" role="alert">
        {found.errors[0].message}
      </p>
    );
  }
  return <Drawn of={of} hosts={hosts} found={found} {...parts} />;
}

function Drawn({ of, hosts, found, view, router }: Omit<Props, 'remove'> & { found: Results }) {
  const { unit, title } = titleOf(of);
  const { step, from, to, offset } = found.drawn;
  const many = hosts.length > mostLines;
  const shown = useMemo(() => only(found.lines.map((l) => l.found), new Set(hosts)), [found, hosts]);
  const heat = useMemo(() => {
    if (!many) return null;
    const { start, end } = gridOf(from - offset, to - offset);
    return heatOf(shown, start, end, step, offset);
  }, [shown, many]);
  const lines = useMemo(() => ({ ...found.drawn, unit, lines: found.drawn.lines.map((l) => ({ ...l, name: l.found.metric.host ?? l.name, full: l.found.metric.host ?? l.full })) }), [found]);
  const band = useMemo(() => heat && bandOf(heat), [heat]);
  if (shown.length === 0) return <Waiting>None of these hosts has values of it in this time.</Waiting>;
  if (!heat || !band) return <query-chart view={view} answer={lines} label={title} />;
  return (
    <>
      <heat-map view={view} heat={heat} unit={unit} label={title} opens={(host) => router.go(hostPath(host))} />
      <band-chart view={view} frame={band} unit={unit} label={title} />
    </>
  );
}
