// Actions for the hosts that are selected in the table.

import { useSignal } from '@preact/signals';
import { at } from '../lib/router.ts';
import { labelFrom } from '../data/label.ts';
import { selectorOf } from '../data/selection.ts';
import type { Parts } from '../parts.ts';
import '../style/compare.css';

type Props = Pick<Parts, 'session' | 'store' | 'router'> & { chosen: ReadonlySet<string> };

export function HostSelection({ session, store, router, chosen }: Props) {
  const hosts = [...chosen];
  const may = session.may('operator');
  const to = selectorOf(hosts);
  return (
    <section class="card selection row" aria-label="Chosen hosts" data-chosen={hosts.length}>
      <b>
        {hosts.length} {hosts.length === 1 ? 'host' : 'hosts'} chosen
      </b>
      <a class="button first" href={at('/compare', { hosts: hosts.join(',') })}>
        Compare
      </a>
      {may && (
        <>
          <a class="button" href={at('/editor', { to })}>
            Try on them
          </a>
          <a class="button" href={at('/explore/ask', { to })}>
            Ask them
          </a>
          <LabelThem {...{ session, store, hosts }} />
        </>
      )}
      <button type="button" class="button" onClick={() => router.set({ sel: '' })}>
        Choose none
      </button>
    </section>
  );
}

/** Sets one label on all of them; an undo button restores the old values. */
function LabelThem({ session, store, hosts }: Pick<Parts, 'session' | 'store'> & { hosts: string[] }) {
  const typed = useSignal('');
  const said = useSignal('');
  const undo = useSignal<{ name: string; before: [host: string, value: string][] } | null>(null);
  const set = async (name: string, values: [host: string, value: string][]): Promise<number> => {
    const settled = await Promise.allSettled(values.map(([host, value]) => session.rpc.call('hosts.label', { host, labels: { [name]: value } })));
    const failed = settled.filter((s) => s.status === 'rejected');
    said.value = failed.length > 0 ? `${failed.length} of ${values.length} were not labelled: ${String((failed[0] as PromiseRejectedResult).reason.message)}` : '';
    for (const [host] of values) void session.look(host).catch(() => {});
    return values.length - failed.length;
  };
  const add = async (e: Event): Promise<void> => {
    e.preventDefault();
    const label = labelFrom(typed.peek());
    if (!label) {
      said.value = 'write it as name=value';
      return;
    }
    const before = hosts.map((h): [string, string] => [h, store.get(h)?.info.peek()?.labels?.[label.name] ?? '']);
    const n = await set(label.name, hosts.map((h) => [h, label.value]));
    if (n > 0) {
      undo.value = { name: label.name, before };
      said.value ||= `${label.name}=${label.value} is on ${n} ${n === 1 ? 'host' : 'hosts'}`;
      typed.value = '';
    }
  };
  const back = async (): Promise<void> => {
    const { name, before } = undo.peek()!;
    undo.value = null;
    await set(name, before);
  };
  return (
    <>
      <form onSubmit={(e) => void add(e)}>
        <input class="field" aria-label="Label them" placeholder="Label: role=db" spellcheck={false} value={typed} onInput={(e) => (typed.value = e.currentTarget.value)} />
      </form>
      <span class="hint" role="status">
        {said}
      </span>
      {undo.value && (
        <button type="button" class="button" onClick={() => void back()}>
          Undo
        </button>
      )}
    </>
  );
}
