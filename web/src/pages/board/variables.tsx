// The choices on a board: a value for each of its labels.

import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Prom } from '../../data/prom.ts';
import type { BoardVariable } from '../../data/wire.gen.ts';
import type { Parts } from '../../parts.ts';

/** The values of the labels of some variables, by the name of the variable. */
export function useValues(session: Parts['session'], variables: BoardVariable[]): Signal<Record<string, string[]>> {
  const values = useSignal<Record<string, string[]>>({});
  const what = JSON.stringify(variables.map((v) => [v.name, v.label]));
  const live = session.link.value.kind === 'live';
  useEffect(() => {
    if (!live) return;
    const prom = new Prom(session.fetch);
    for (const v of variables) {
      prom.values(v.label).then(
        (list) => (values.value = { ...values.peek(), [v.name]: list }),
        () => {}, // what was chosen stays
      );
    }
  }, [what, live]);
  return values;
}

interface Props {
  variables: BoardVariable[];
  values: Record<string, string[]>;
  chosen: Record<string, string>;
  choose: (name: string, value: string) => void;
}

export function Variables({ variables, values, chosen, choose }: Props) {
  return (
    <>
      {variables.map((v) => {
        const list = values[v.name] ?? [];
        const known = chosen[v.name] === '' || list.includes(chosen[v.name]) ? list : [chosen[v.name], ...list];
        return (
          <span key={v.name} class="check">
            {v.name}
            <select class="field" aria-label={v.name} value={chosen[v.name]} onChange={(e) => choose(v.name, e.currentTarget.value)}>
              {!v.one && <option value="">all</option>}
              {known.map((value) => (
                <option key={value} value={value}>
                  {value}
                </option>
              ))}
            </select>
          </span>
        );
      })}
    </>
  );
}
