// The grid of a board. Panels are moved by their handle, and made larger by their
// corner: dragged, or with the arrow keys.

import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { columns, keyed, placed } from '../../data/boards.ts';
import type { BoardPanel } from '../../data/wire.gen.ts';

export const rowHeight = 40; // pixels, with the gap

interface GridProps {
  panels: BoardPanel[];
  /** Panels can be moved. */
  edits: boolean;
  change: (panels: BoardPanel[]) => void;
  body: (panel: BoardPanel, at: number) => ComponentChildren;
  tools: (panel: BoardPanel, at: number) => ComponentChildren;
}

export function Grid({ panels, edits, change, body, tools }: GridProps) {
  const grid = useRef<HTMLDivElement>(null);
  const moving = useSignal<BoardPanel[] | null>(null);
  const shown = moving.value ?? panels;

  /** Follows a pointer from where it was pressed; what it does to the place is told in cells. */
  const drag = (at: number, act: (cellsX: number, cellsY: number) => Partial<BoardPanel>) => (e: PointerEvent) => {
    if (e.button !== 0) return;
    e.preventDefault();
    const handle = e.currentTarget as HTMLElement;
    handle.focus();
    handle.setPointerCapture(e.pointerId);
    const cell = grid.current!.clientWidth / columns;
    const from = { x: e.clientX, y: e.clientY };
    const follow = (m: PointerEvent): void => {
      moving.value = placed(panels, at, act((m.clientX - from.x) / cell, (m.clientY - from.y) / rowHeight));
    };
    const end = (done: boolean): void => {
      handle.removeEventListener('pointermove', follow);
      handle.onpointerup = handle.onpointercancel = null;
      if (done && moving.peek()) change(moving.peek()!);
      moving.value = null;
    };
    handle.addEventListener('pointermove', follow);
    handle.onpointerup = () => end(true);
    handle.onpointercancel = () => end(false);
  };

  const key = (at: number) => (e: KeyboardEvent) => {
    const wish = keyed(panels[at], e.key, e.shiftKey);
    if (!wish) return;
    e.preventDefault();
    change(placed(panels, at, wish));
  };

  return (
    <div class="board-grid" data-moves={moving.value ? '' : undefined} ref={grid}>
      {shown.map((p, at) => (
        <div
          role="group"
          key={at}
          class="card board-panel"
          aria-label={p.title || p.kind}
          data-place={`${p.x} ${p.y} ${p.w} ${p.h}`}
          style={{ gridColumn: `${p.x + 1} / span ${p.w}`, gridRow: `${p.y + 1} / span ${p.h}`, order: p.y * columns + p.x }}
        >
          <header>
            {edits && (
              <button
                type="button"
                class="grip"
                aria-label={`Move ${p.title || p.kind}: arrow keys move, with Shift they resize`}
                title="Drag, or use the arrow keys; with Shift they resize"
                onPointerDown={drag(at, (x, y) => ({ x: panels[at].x + x, y: panels[at].y + y }))}
                onKeyDown={key(at)}
              >
                ⠿
              </button>
            )}
            {p.title && <h2>{p.title}</h2>}
            <span class="tools">{tools(p, at)}</span>
          </header>
          {body(p, at)}
          {edits && <span class="corner" aria-hidden="true" onPointerDown={drag(at, (x, y) => ({ w: panels[at].w + x, h: panels[at].h + y }))} />}
        </div>
      ))}
    </div>
  );
}
