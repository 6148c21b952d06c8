// The labels of a host, edited where they stand.

import { useSignal } from '@preact/signals';
import { labelFrom } from '../data/label.ts';
import type { HostModel } from '../data/store.ts';
import type { Parts } from '../parts.ts';
import { at } from '../lib/router.ts';
import { Badge, Fault } from './kit.tsx';

export function Labels({ host, session }: Pick<Parts, 'session'> & { host: HostModel }) {
  const typed = useSignal('');
  const error = useSignal<unknown>(null);
  const may = session.may('operator');
  const labels = Object.entries(host.info.value?.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const set = (name: string, value: string): void => {
    session.rpc.call('hosts.label', { host: host.name, labels: { [name]: value } }).then(
      () => {
        error.value = null;
        void session.look(host.name);
      },
      (e) => (error.value = e),
    );
  };
  const add = (e: Event): void => {
    e.preventDefault();
    const label = labelFrom(typed.value);
    if (!label) return void (error.value = new Error('write it as name=value'));
    set(label.name, label.value);
    typed.value = '';
  };
  if (labels.length === 0 && !may) return null;
  return (
    <section class="host-labels" aria-label="Labels">
      {labels.map(([name, value]) => (
        <Badge key={name}>
          <a href={at('/hosts', { q: `${name}=${value}` })} title={`${name}=${value}`}>
            {name}={value}
          </a>
          {may && (
            <button type="button" aria-label={`Remove the label ${name}`} title="Remove; a label in the host’s configuration stays" onClick={() => set(name, '')}>
              ×
            </button>
          )}
        </Badge>
      ))}
      {may && (
        <form onSubmit={add}>
          <input class="field" aria-label="New label" placeholder="Add role=db" spellcheck={false} value={typed} onInput={(e) => (typed.value = e.currentTarget.value)} />
        </form>
      )}
      {error.value !== null && <Fault what="cannot label the host" error={error.value} />}
    </section>
  );
}
