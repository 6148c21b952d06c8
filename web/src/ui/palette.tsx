// The palette: a few letters lead to any host, inspector, page or action.

import { useSignal, type Signal } from '@preact/signals';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { windows } from '../charts/time.ts';
import { logOut } from '../data/leave.ts';
import type { Page } from '../pages.ts';
import type { Parts } from '../parts.ts';
import { best } from '../lib/rank.ts';
import { below, hostPath } from '../lib/router.ts';
import '../style/palette.css';

export interface Entry {
  kind: 'page' | 'host' | 'inspector' | 'action';
  text: string;
  run: () => void;
}

const most = 12;

/** All targets of the palette for this role. */
export function entriesOf({ session, store, fleet, view, router, pages }: Parts & { pages: readonly Page[] }): Entry[] {
  const go = (kind: Entry['kind'], text: string, path: string): Entry => ({ kind, text, run: () => router.go(path) });
  const act = (text: string, run: () => void): Entry => ({ kind: 'action', text, run });
  const hosts = store.hosts.peek();
  const running = new Set(hosts.flatMap((h) => (h.info.peek()?.inspectors ?? []).map((i) => i.name)));
  const inspectors = new Set([...fleet.catalog.peek().map((e) => e.name), ...running]);
  const open = pages.filter((p) => !/[:*]/.test(p.path) && session.may(p.role));
  return [
    ...open.map((p) => go('page', p.title({}), p.path)),
    ...hosts.map((h) => go('host', h.name, hostPath(h.name))),
    ...[...inspectors].map((name) => go('inspector', name, below('/inspectors', name))),
    ...windows.map((w) => act(`Show the last ${w.label}`, () => view.time.live(w.ms))),
    act('Zoom out', () => view.time.zoomOut()),
    act('Live', () => view.time.live()),
    act('Pause', () => (view.time.pausedAt.value = Date.now())),
    act('Log out', () => void logOut()),
    ...(['system', 'light', 'dark'] as const).map((t) => act(`Theme: ${t}`, () => (view.theme.value = t))),
  ];
}

/** `typed` may already contain letters. */
export default function Palette(props: Parts & { pages: readonly Page[]; close: () => void; typed: Signal<string> }) {
  const { close, typed } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const at = useSignal(0);
  const entries = useMemo(() => entriesOf(props), []);
  const found = best(entries, (e) => e.text, typed.value, most);
  useLayoutEffect(() => dialog.current?.showModal?.(), []);
  const run = (entry: Entry | undefined): void => {
    if (!entry) return;
    close();
    entry.run();
  };
  const key = (e: KeyboardEvent): void => {
    const move = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
    if (move !== 0) at.value = (at.value + move + found.length) % Math.max(1, found.length);
    else if (e.key === 'Enter') run(found[at.value]);
    else return;
    e.preventDefault();
  };
  return (
    <dialog ref={dialog} class="palette" aria-label="Go to" onClose={close} onClick={(e) => e.target === dialog.current && close()}>
      <input
        class="field"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found.length > 0 ? `palette-${at.value}` : undefined}
        aria-label="Go to a host, an inspector, a page or an action"
        placeholder="Host, inspector, page, action"
        spellcheck={false}
        autocomplete="off"
        value={typed}
        onInput={(e) => {
          typed.value = e.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={key}
      />
      <ul id="palette-list" role="listbox" aria-label="Found">
        {found.map((e, i) => (
          <li
            key={`${e.kind} ${e.text}`}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === at.value}
            onPointerMove={() => (at.value = i)}
            onClick={() => run(e)}
          >
            <span>{e.text}</span> <span class="kind">{e.kind}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="waiting">Nothing matches.</p>}
    </dialog>
  );
}
