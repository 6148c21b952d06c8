// Chooses the lines of a chart and their colours. Pure.

import type { Chart } from '../data/store.ts';
import { lineNames } from '../data/store.ts';
import { isLong } from './legend.ts';

const fewLines = 6;
const fewLongLines = 5; // of lines whose names take a whole row
const someLines = 12;
const manyLines = 200; // even if all were asked for

/** The room that a chart has for its legend. */
export interface Room {
  large: boolean;
  /** The user asked for all lines. */
  expanded: boolean;
  /** Names take a row each. */
  long: boolean;
}

export function mostLines({ large, expanded, long }: Room): number {
  if (expanded) return manyLines;
  if (large) return someLines;
  return long ? fewLongLines : fewLines;
}

export function hasLongNames(chart: Chart): boolean {
  return [...lineNames(chart).names.values()].some(isLong);
}

/** The text of the button below the legend; '' if it needs none. */
export function moreText(all: number, drawn: number, room: Room): string {
  if (all > drawn) return `+${all - drawn} more`;
  return room.expanded && drawn > mostLines({ ...room, expanded: false }) ? 'fewer' : '';
}

/** The place of each line among the colours. A line keeps its place as long as it is drawn. */
export function slotsOf(before: ReadonlyMap<string, number>, ids: string[]): Map<string, number> {
  const slots = new Map<string, number>();
  for (const id of ids) {
    const kept = before.get(id);
    if (kept !== undefined) slots.set(id, kept);
  }
  const taken = new Set(slots.values());
  let free = 0;
  for (const id of ids) {
    if (slots.has(id)) continue;
    while (taken.has(free)) free++;
    taken.add(free);
    slots.set(id, free);
  }
  return slots;
}

/** The hidden lines after a line was chosen. solo shows only that line, or all if it is already alone. */
export function hiddenAfter(all: string[], hidden: ReadonlySet<string>, line: string, solo: boolean): Set<string> {
  if (!solo) {
    const next = new Set(hidden);
    if (!next.delete(line)) next.add(line);
    return next;
  }
  const alone = !hidden.has(line) && all.every((l) => l === line || hidden.has(l));
  return new Set(alone ? [] : all.filter((l) => l !== line));
}
