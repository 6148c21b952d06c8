// The tools for editing a board, and its history.

import { useSignal } from '@preact/signals';
import type { Kind } from '../../data/boards.ts';
import type { Board, BoardVariable } from '../../data/wire.gen.ts';
import type { Parts } from '../../parts.ts';
import { Ago, Fault } from '../../ui/kit.tsx';
import type { Edit } from './edit.ts';

const kinds: [Kind, string][] = [
  ['chart', 'Chart'],
  ['number', 'Number'],
  ['table', 'Table'],
  ['text', 'Text'],
];

interface BarProps extends Pick<Parts, 'session'> {
  edit: Edit;
  board: Board;
  add: (kind: Kind) => void;
  kept: () => void;
}

export function EditBar({ edit, add, board, session, kept }: BarProps) {
  const message = useSignal('');
  const content = edit.content.value!;
  const keep = async (over?: string): Promise<void> => {
    if (await edit.keep(message.peek(), over)) kept();
  };
  const keepOver = async (): Promise<void> => {
    const now = await session.rpc.call<Board>('boards.get', { name: board.name }).catch(() => null);
    await keep(now?.version ?? '');
  };
  return (
    <section class="card edit-bar" aria-label="Change the board">
      <div class="row">
        <label class="check">
          Title
          <input class="field" maxLength={100} value={content.title} onChange={(e) => edit.change({ title: e.currentTarget.value })} />
        </label>
        <span class="hint">Add</span>
        {kinds.map(([kind, name]) => (
          <button key={kind} type="button" class="button" onClick={() => add(kind)}>
            {name}
          </button>
        ))}
        <VariableForm variables={content.variables ?? []} change={(variables) => edit.change({ variables })} />
        <button type="button" class="button" disabled={edit.undoes.value === 0} onClick={() => edit.undo()}>
          Undo
        </button>
      </div>
      <div class="row">
        <label class="check">
          Message
          <input class="field" maxLength={1000} placeholder="why" value={message} onInput={(e) => (message.value = e.currentTarget.value)} />
        </label>
        <button type="button" class="button first" disabled={edit.undoes.value === 0} onClick={() => void keep()}>
          Save
        </button>
        {edit.conflict.value && (
          <button type="button" class="button" onClick={() => void keepOver()}>
            Save over it
          </button>
        )}
        <button type="button" class="button" onClick={() => edit.drop()}>
          Discard the changes
        </button>
      </div>
    </section>
  );
}

/** Adds a label whose values can be chosen, and takes one away. */
function VariableForm({ variables, change }: { variables: BoardVariable[]; change: (variables: BoardVariable[]) => void }) {
  const label = useSignal('');
  const good = /^[a-zA-Z_][a-zA-Z0-9_]{0,62}$/.test(label.value) && !variables.some((v) => v.name === label.value);
  const add = (e: Event): void => {
    e.preventDefault();
    if (!good) return;
    change([...variables, { name: label.peek(), label: label.peek() }]);
    label.value = '';
  };
  return (
    <details class="menu">
      <summary class="button">Variables</summary>
      <form class="card" onSubmit={add}>
        {variables.map((v) => (
          <span key={v.name} class="row">
            <code>${v.name}</code>
            <button type="button" class="text-link" aria-label={`Remove the variable ${v.name}`} onClick={() => change(variables.filter((o) => o !== v))}>
              Remove
            </button>
          </span>
        ))}
        <label>
          A label, such as host
          <input class="field" value={label} onInput={(e) => (label.value = e.currentTarget.value.trim())} />
        </label>
        <button type="submit" class="button" disabled={!good}>
          Add
        </button>
        <p class="hint">Queries have it as {'host=~"$host"'}.</p>
      </form>
    </details>
  );
}

/** The changes of the board, and the way back to an older version. */
export function History({ board, router, session, may, again }: { board: Board; may: boolean; again: () => void } & Pick<Parts, 'router' | 'session'>) {
  const error = useSignal<unknown>(null);
  const past = board.history ?? [];
  if (past.length === 0) return null;
  const restore = async (): Promise<void> => {
    try {
      const now = await session.rpc.call<Board>('boards.get', { name: board.name }).catch(() => null);
      const content = { title: board.title, variables: board.variables ?? [], panels: board.panels ?? [] };
      await session.rpc.call('boards.put', { name: board.name, content, version: now?.version ?? '', message: `back to version ${board.version}` });
      router.go(`/boards/${board.name}`);
    } catch (e) {
      error.value = e;
    }
  };
  const remove = async (): Promise<void> => {
    try {
      await session.rpc.call('boards.delete', { name: board.name, version: board.version });
      if (board.built_in) again();
      else router.go('/boards');
    } catch (e) {
      error.value = e;
    }
  };
  const old = router.get('version') !== '';
  return (
    <>
      {old && may && (
        <button type="button" class="button first" onClick={() => void restore()}>
          Restore it
        </button>
      )}
      <details class="menu">
        <summary class="button">History</summary>
        <div class="card">
          {past.map((c) => (
            <span key={c.version} data-change={c.version}>
              {c.deleted ? 'deleted' : <a href={`/boards/${board.name}?version=${c.version}`}>version {c.version}</a>} <Ago ms={c.at_ms} /> by {c.author}
              {c.message && <span class="hint"> “{c.message}”</span>}
            </span>
          ))}
          {may && !old && board.version !== '' && (
            <button type="button" class="text-link" onClick={() => void remove()}>
              {board.built_in ? 'Reset to the original' : 'Delete the board'}
            </button>
          )}
        </div>
      </details>
      {error.value !== null && <Fault what="cannot change the board" error={error.value} />}
    </>
  );
}
