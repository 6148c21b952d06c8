// The list of boards, a new one, one from a file, and the choice of one to pin
// something to.

import { useSignal } from '@preact/signals';
import { added, imported, nameFor } from '../data/boards.ts';
import { useAsk } from '../data/ask.ts';
import type { Board, BoardContent, BoardInfo } from '../data/wire.gen.ts';
import { below } from '../lib/router.ts';
import type { PageProps } from '../parts.ts';
import { Ago, Badge, Fault, Head, Waiting } from '../ui/kit.tsx';
import { Table, type TableColumn } from '../ui/table.tsx';
import { queriesOf } from './explore/state.ts';
import '../style/work.css';
import '../style/boards.css';

const columns: TableColumn<BoardInfo>[] = [
  { id: 'title', title: 'Board', heads: true, by: (b) => b.title, cell: (b) => <a href={below('/boards', b.name)}>{b.title}</a> },
  { id: 'panels', title: 'Panels', number: true, by: (b) => b.panels, cell: (b) => b.panels },
  { id: 'at', title: 'Changed', by: (b) => b.at_ms ?? 0, cell: (b) => (b.at_ms ? <><Ago ms={b.at_ms} /> by {b.author}</> : <Badge title="It comes with the product">built in</Badge>) },
];

export default function BoardsPage({ session, router }: PageProps) {
  const ask = useAsk<{ boards: BoardInfo[] | null }>(session, 'boards.list', {}, 'boards/*');
  const error = useSignal<unknown>(null);
  if (ask.error.value && !ask.data.value) return <Fault what="cannot list the boards" error={ask.error.value} retry={() => void ask.again()} />;
  if (!ask.data.value) return <Waiting>Asking the master.</Waiting>;
  const list = ask.data.value.boards ?? [];
  const may = session.may('operator');
  const make = async (content: BoardContent): Promise<void> => {
    try {
      const name = nameFor(content.title, list.map((b) => b.name));
      await session.rpc.call<Board>('boards.put', { name, content, version: '' });
      router.go(below('/boards', name));
    } catch (e) {
      error.value = e;
    }
  };
  const pinned = may && router.get('pin') !== '' ? queriesOf(router.query.value) : [];
  return (
    <>
      <Head title="Boards" count={list.length}>
        {may && <NewBoard make={(title) => void make({ title, panels: [] })} />}
        {may && <Import make={(content) => void make(content)} fail={(e) => (error.value = e)} />}
      </Head>
      {error.value !== null && <Fault what="cannot make the board" error={error.value} />}
      {pinned.length > 0 && <PinTo {...{ session, router, list }} title={router.get('pin')} queries={pinned} />}
      <div class="card">
        <Table label="Boards" columns={columns} rows={list} id={(b) => b.name} sort="title" />
      </div>
    </>
  );
}

function NewBoard({ make }: { make: (title: string) => void }) {
  const title = useSignal('');
  const submit = (e: Event): void => {
    e.preventDefault();
    if (title.peek().trim()) make(title.peek().trim());
  };
  return (
    <form class="row" onSubmit={submit}>
      <input class="field" aria-label="Title of a new board" placeholder="Title of a new board" maxLength={100} value={title} onInput={(e) => (title.value = e.currentTarget.value)} />
      <button type="submit" class="button first" disabled={title.value.trim() === ''}>
        Make
      </button>
    </form>
  );
}

function Import({ make, fail }: { make: (content: BoardContent) => void; fail: (e: unknown) => void }) {
  return (
    <label class="button file">
      Import
      <input
        type="file"
        accept=".json,application/json"
        onChange={(e) => {
          const input = e.currentTarget;
          const file = input.files?.[0];
          input.value = '';
          file?.text().then((text) => make(imported(text))).catch(fail);
        }}
      />
    </label>
  );
}

/** Chooses a board for queries of a chart, or of Explore. */
function PinTo({ session, router, list, title, queries }: Pick<PageProps, 'session' | 'router'> & { list: BoardInfo[]; title: string; queries: string[] }) {
  const name = useSignal(title);
  const kind = useSignal('chart');
  const error = useSignal<unknown>(null);
  const pin = async (to: string): Promise<void> => {
    try {
      const board = await session.rpc.call<Board>('boards.get', { name: to });
      const panels = added(board.panels ?? [], { kind: kind.peek(), title: name.peek().trim(), queries });
      const content = { title: board.title, variables: board.variables ?? [], panels };
      await session.rpc.call<Board>('boards.put', { name: to, content, version: board.version, message: `pinned ${name.peek().trim()}`.trim() });
      router.go(below('/boards', to));
    } catch (e) {
      error.value = e;
    }
  };
  return (
    <section class="card" aria-labelledby="pin-title">
      <h2 id="pin-title">Pin to a board</h2>
      <ul class="plain-list">
        {queries.map((q) => (
          <li key={q}>
            <code>{q}</code>
          </li>
        ))}
      </ul>
      <div class="row">
        <label class="check">
          Title
          <input class="field" maxLength={100} value={name} onInput={(e) => (name.value = e.currentTarget.value)} />
        </label>
        <label class="check">
          shown as
          <select class="field" value={kind.value} onChange={(e) => (kind.value = e.currentTarget.value)}>
            <option value="chart">a chart</option>
            <option value="number">a number</option>
            <option value="table">a table</option>
          </select>
        </label>
        <span class="hint">to</span>
        {list.map((b) => (
          <button key={b.name} type="button" class="button" onClick={() => void pin(b.name)}>
            {b.title}
          </button>
        ))}
      </div>
      {error.value !== null && <Fault what="cannot pin it" error={error.value} />}
    </section>
  );
}
