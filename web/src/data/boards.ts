// Boards: the places of panels on the grid, how they make room for each other, and how
// variables are filled into queries. Pure.

import type { BoardContent, BoardPanel, BoardVariable } from './wire.gen.ts';

export const columns = 12;
const maxHeight = 40;
const maxRows = 2000;

export type Kind = 'chart' | 'number' | 'table' | 'text';

/** The size of a new panel. */
const sizes: Record<Kind, { w: number; h: number }> = {
  chart: { w: 6, h: 6 },
  number: { w: 3, h: 3 },
  table: { w: 6, h: 6 },
  text: { w: 6, h: 3 },
};

type Place = Pick<BoardPanel, 'x' | 'y' | 'w' | 'h'>;

export function overlap(a: Place, b: Place): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

function within(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, Math.round(value)));
}

/** A place moved into the grid. */
export function fitted<T extends Place>(p: T): T {
  const w = within(p.w, 1, columns);
  return { ...p, w, h: within(p.h, 1, maxHeight), x: within(p.x, 0, columns - w), y: within(p.y, 0, maxRows) };
}

/**
 * Moves or resizes one panel. The others keep their order, and move down as far as
 * they must and up as far as they can.
 */
export function placed(panels: BoardPanel[], at: number, change: Partial<Place>): BoardPanel[] {
  const moved = fitted({ ...panels[at], ...change });
  const order = panels
    .map((_, i) => i)
    .filter((i) => i !== at)
    .sort((a, b) => panels[a].y - panels[b].y || panels[a].x - panels[b].x);
  const done: Place[] = [moved];
  const out = [...panels];
  out[at] = moved;
  for (const i of order) {
    const next = { ...fitted(panels[i]) };
    // Up as far as possible, then down below anything in the way.
    next.y = Math.min(next.y, lowest(done, next));
    while (done.some((d) => overlap(d, next))) next.y = Math.max(next.y + 1, ...done.filter((d) => overlap(d, next)).map((d) => d.y + d.h));
    done.push(next);
    out[i] = next;
  }
  return out;
}

/** The row below everything above a place in its columns. */
function lowest(done: Place[], p: Place): number {
  return Math.max(0, ...done.filter((d) => d.x < p.x + p.w && p.x < d.x + d.w && d.y <= p.y).map((d) => d.y + d.h));
}

/** Adds a panel at the first free place from the top. */
export function added(panels: BoardPanel[], panel: Omit<BoardPanel, 'x' | 'y' | 'w' | 'h'>): BoardPanel[] {
  const { w, h } = sizes[panel.kind as Kind] ?? sizes.chart;
  for (let y = 0; ; y++) {
    for (let x = 0; x + w <= columns; x++) {
      const next = { ...panel, x, y, w, h };
      if (!panels.some((p) => overlap(p, next))) return [...panels, next];
    }
  }
}

/** The change that a key makes to a panel's place; null for other keys. With Shift it resizes. */
export function keyed(p: Place, key: string, shift: boolean): Partial<Place> | null {
  switch (key) {
    case 'ArrowLeft':
      return shift ? { w: p.w - 1 } : { x: p.x - 1 };
    case 'ArrowRight':
      return shift ? { w: p.w + 1 } : { x: p.x + 1 };
    case 'ArrowUp':
      return shift ? { h: p.h - 1 } : { y: p.y - 1 };
    case 'ArrowDown':
      return shift ? { h: p.h + 1 } : { y: p.y + 1 };
    default:
      return null;
  }
}

/** A regular expression that matches exactly this text, within PromQL quotes. */
export function quotedPattern(text: string): string {
  return text
    .replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n');
}

/** The query with the chosen values of its variables: $host in host=~"$host"; '' is every value. */
export function filled(query: string, chosen: Record<string, string>): string {
  return query.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare ?? '';
    if (!Object.hasOwn(chosen, name)) return whole;
    return chosen[name] === '' ? '.*' : quotedPattern(chosen[name]);
  });
}

/**
 * The chosen values of a board's variables: from the address, else from the board,
 * else the first value if "all" is not allowed.
 */
export function chosenOf(variables: BoardVariable[], address: (name: string) => string, values: Record<string, string[]>): Record<string, string> {
  return Object.fromEntries(
    variables.map((v) => {
      const said = address(`var-${v.name}`) || v.value || '';
      return [v.name, said || (v.one ? (values[v.name]?.[0] ?? '') : '')];
    }),
  );
}

/** Whether all variables have values: one without "all" waits for its values. */
export function ready(variables: BoardVariable[], chosen: Record<string, string>): boolean {
  return variables.every((v) => !v.one || chosen[v.name] !== '');
}

/** A board as a file. */
export function exported(content: BoardContent): string {
  const { title, variables, panels } = content;
  return JSON.stringify({ vedette: 'board', title, variables: variables ?? [], panels }, null, 2) + '\n';
}

/** A board from a file; the master checks the rest. */
export function imported(text: string): BoardContent {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (e) {
    throw new Error(`the file is not JSON: ${e instanceof Error ? e.message : String(e)}`);
  }
  const d = (data ?? {}) as Record<string, unknown>;
  if (d.vedette !== 'board' || typeof d.title !== 'string' || !Array.isArray(d.panels)) {
    throw new Error('the file is not a board of Vedette: it needs "vedette": "board", a title and panels');
  }
  return { title: d.title, variables: (d.variables as BoardVariable[]) ?? [], panels: d.panels as BoardPanel[] };
}

/** A name for a title: `Team A` is team-a. */
export function nameFor(title: string, taken: string[] = []): string {
  const plain = title.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 50) || 'board';
  if (!taken.includes(plain)) return plain;
  for (let i = 2; ; i++) if (!taken.includes(`${plain}-${i}`)) return `${plain}-${i}`;
}
