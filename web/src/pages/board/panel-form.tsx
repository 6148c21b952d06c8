// The form of one panel: what it shows, and its queries. Its code, with the PromQL
// editor, is loaded when somebody edits.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { definePromqlEditor } from '../../editor/promql-editor.ts';
import type { BoardPanel } from '../../data/wire.gen.ts';
import type { Parts } from '../../parts.ts';

definePromqlEditor();

const kinds = [
  ['chart', 'Chart'],
  ['number', 'Number'],
  ['table', 'Table'],
  ['text', 'Text'],
] as const;
const mostQueries = 8;

type Props = Pick<Parts, 'session'> & { panel: BoardPanel; done: (panel: BoardPanel | null) => void };

export default function PanelForm({ session, panel, done }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useSignal(panel.title ?? '');
  const kind = useSignal(panel.kind);
  const text = useSignal(panel.text ?? '');
  const queries = useSignal<string[]>(panel.queries?.length ? panel.queries : ['']);
  useEffect(() => dialog.current?.showModal?.(), []);
  const put = (i: number, q: string): void => void (queries.value = queries.peek().map((old, at) => (at === i ? q : old)));
  const asked = queries.value.filter((q) => q.trim() !== '');
  const good = kind.value === 'text' ? text.value.trim() !== '' : asked.length > 0;
  const keep = (): void => {
    if (!good) return;
    const { x, y, w, h } = panel;
    const shown = kind.peek() === 'text' ? { text: text.peek() } : { queries: queries.peek().map((q) => q.trim()).filter(Boolean) };
    done({ kind: kind.peek(), title: title.peek().trim(), ...shown, x, y, w, h });
  };
  return (
    <dialog ref={dialog} class="palette panel-form" aria-labelledby="panel-form" onClose={() => done(null)}>
      <h2 id="panel-form">Panel</h2>
      <div class="form">
        <label>
          Title
          <input class="field" maxLength={100} value={title} onInput={(e) => (title.value = e.currentTarget.value)} />
        </label>
        <label>
          Shown as
          <select class="field" value={kind.value} onChange={(e) => (kind.value = e.currentTarget.value)}>
            {kinds.map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      {kind.value === 'text' ? (
        <label class="form-text">
          Text
          <textarea class="field" rows={6} maxLength={10_000} value={text} onInput={(e) => (text.value = e.currentTarget.value)} />
        </label>
      ) : (
        <>
          {queries.value.map((q, i) => (
            <promql-editor key={`${i}`} value={q} changed={(t) => put(i, t)} run={keep} fetch={session.fetch} label={`Query ${i + 1}`} />
          ))}
          {queries.value.length < mostQueries && (
            <button type="button" class="button" onClick={() => (queries.value = [...queries.peek(), ''])}>
              Add a query
            </button>
          )}
        </>
      )}
      <div class="row">
        <button type="button" class="button first" disabled={!good} onClick={keep}>
          Keep
        </button>
        <button type="button" class="button" onClick={() => done(null)}>
          Cancel
        </button>
      </div>
    </dialog>
  );
}
