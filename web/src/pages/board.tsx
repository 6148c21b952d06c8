// One board: its panels on a grid, the values of its variables, and, for users who may,
// its editor. ?wall shows it without any frame.

import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { added, chosenOf, exported, filled, ready, type Kind } from '../data/boards.ts';
import { useAsk } from '../data/ask.ts';
import type { Board, BoardPanel, BoardVariable } from '../data/wire.gen.ts';
import { download } from '../lib/download.ts';
import { at } from '../lib/router.ts';
import type { PageProps } from '../parts.ts';
import { Ago, Empty, Fault, Head, Waiting } from '../ui/kit.tsx';
import { Link } from '../ui/link.tsx';
import { Edit } from './board/edit.ts';
import { Grid } from './board/grid.tsx';
import { PanelBody } from './board/panel.tsx';
import { EditBar, History } from './board/tools.tsx';
import { useValues, Variables } from './board/variables.tsx';
import { withQueries } from './explore/state.ts';
import '../style/work.css';
import '../style/explore.css';
import '../style/boards.css';

type Form = ComponentType<{ session: PageProps['session']; panel: BoardPanel; done: (panel: BoardPanel | null) => void }>;

export default function BoardPage(props: PageProps) {
  const { params, session, router } = props;
  const name = params.name;
  const version = router.get('version');
  const ask = useAsk<Board>(session, 'boards.get', { name, version }, `boards/${name}`);
  useWall(router);
  if (ask.error.value && !ask.data.value) {
    return (
      <Empty title={`No board ${name}`} first>
        {ask.error.value instanceof Error ? ask.error.value.message : ''} <a href="/boards">All boards</a>
      </Empty>
    );
  }
  if (!ask.data.value) return <Waiting>Asking the master.</Waiting>;
  return <Loaded key={`${name} ${version}`} {...props} board={ask.data.value} again={() => void ask.again()} />;
}

/** Hides the frame of the page while the address asks for it; Escape brings it back. */
function useWall(router: PageProps['router']): void {
  const wall = router.get('wall') !== '';
  useEffect(() => {
    if (!wall) return undefined;
    document.documentElement.dataset.wall = '';
    const leave = (e: KeyboardEvent): void => {
      if (e.key === 'Escape' && !e.defaultPrevented) router.set({ wall: '' });
    };
    addEventListener('keydown', leave);
    return () => {
      delete document.documentElement.dataset.wall;
      removeEventListener('keydown', leave);
    };
  }, [wall]);
}

function Loaded({ session, store, view, router, board, again }: PageProps & { board: Board; again: () => void }) {
  const edit = useMemo(() => new Edit(session.rpc, board.name), []);
  const formed = useSignal<{ at: number; panel: BoardPanel; form: Form } | null>(null);
  const content = edit.content.value ?? { title: board.title, variables: board.variables ?? [], panels: board.panels ?? [] };
  const panels = content.panels ?? [];
  const variables: BoardVariable[] = content.variables ?? [];
  const values = useValues(session, variables).value;
  const chosen = chosenOf(variables, (n) => router.get(n), values);
  const edits = edit.content.value !== null;
  const may = session.may('operator');
  const old = router.get('version') !== '';
  useEffect(() => {
    if (!edits) return undefined;
    const warn = (e: BeforeUnloadEvent): void => e.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [edits]);
  const openForm = async (at: number, panel: BoardPanel): Promise<void> => {
    const { default: form } = await import('./board/panel-form.tsx');
    formed.value = { at, panel, form };
  };
  const add = (kind: Kind): void => {
    const [panel] = added(panels, { kind, title: '' }).slice(-1);
    void openForm(panels.length, panel);
  };
  const keepPanel = (panel: BoardPanel | null): void => {
    const { at } = formed.peek() ?? { at: 0 };
    formed.value = null;
    if (panel) edit.change({ panels: at < panels.length ? panels.map((p, i) => (i === at ? panel : p)) : [...panels, panel] });
  };
  const Form = formed.value?.form;
  return (
    <div class="board" data-board={board.name} data-version={board.version}>
      <Head title={content.title}>
        <Variables variables={variables} values={values} chosen={chosen} choose={(n, v) => router.set({ [`var-${n}`]: v })} />
        {!edits && may && !old && (
          <button type="button" class="button" onClick={() => edit.begin(board)}>
            Edit
          </button>
        )}
        {!edits && <History board={board} router={router} session={session} may={may} again={again} />}
        <button type="button" class="button" onClick={() => download(`${board.name}.json`, 'application/json', exported(content))}>
          Export
        </button>
        <button type="button" class="button" onClick={() => router.set({ wall: '1' }, true)}>
          Wall
        </button>
      </Head>
      <p class="wall-link">
        <Link session={session} />
      </p>
      {old && (
        <p class="notice">
          This is version {board.version}, <Ago ms={(board.at_ms ?? 0) + store.masterOffset} /> by {board.author}.{' '}
          <a href={`/boards/${board.name}`}>The board as it is now</a>
        </p>
      )}
      {edits && <EditBar edit={edit} add={add} board={board} session={session} kept={again} />}
      {edit.error.value && <Fault what="cannot store the board" error={new Error(edit.error.value)} />}
      {panels.length === 0 && !edits && (
        <Empty title="Nothing is pinned here yet">
          {may ? 'Edit adds charts, numbers, tables and texts. ⋯ in the heading of any chart pins it.' : 'Those who may change it add charts, numbers, tables and texts.'}
        </Empty>
      )}
      {!ready(variables, chosen) ? (
        <Waiting>Loading the choices.</Waiting>
      ) : (
        <Grid
          panels={panels}
          edits={edits}
          change={(next) => edit.change({ panels: next })}
          body={(panel) => <PanelBody key={JSON.stringify([panel.kind, panel.queries])} {...{ session, store, view, panel, chosen }} />}
          tools={(panel, at) =>
            edits ? (
              <>
                <button type="button" class="as-table" aria-label={`Edit ${panel.title || panel.kind}`} onClick={() => void openForm(at, panel)}>
                  Edit
                </button>
                <button type="button" class="as-table" aria-label={`Remove ${panel.title || panel.kind}`} onClick={() => edit.change({ panels: panels.filter((_, i) => i !== at) })}>
                  Remove
                </button>
              </>
            ) : (
              panel.queries && <ExploreLink panel={panel} chosen={chosen} />
            )
          }
        />
      )}
      {Form && formed.value && <Form session={session} panel={formed.value.panel} done={keepPanel} />}
    </div>
  );
}

function ExploreLink({ panel, chosen }: { panel: BoardPanel; chosen: Record<string, string> }) {
  return (
    <a class="as-table" href={exploreHref(panel, chosen)} aria-label={`Open ${panel.title || panel.kind} in Explore`}>
      Explore
    </a>
  );
}

export function exploreHref(panel: BoardPanel, chosen: Record<string, string>): string {
  return at('/explore', { ...withQueries((panel.queries ?? []).map((q) => filled(q, chosen))), as: panel.kind === 'table' ? 'table' : '' });
}
