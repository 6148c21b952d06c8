// Places of faults: the checker counts bytes of UTF-8, an editor UTF-16 units.

import type { Diagnostic } from '../data/catalog.ts';

/** The index in a line for a column in bytes, from 1. */
export function unitsOf(line: string, col: number): number {
  let bytes = 1;
  let at = 0;
  for (const c of line) {
    if (bytes >= col) break;
    const code = c.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    at += c.length;
  }
  return at;
}

export interface Place {
  from: number;
  to: number;
}

/** The part of a text that a fault is about: the word at its place, or the whole line. */
export function placeOf(text: string, d: Pick<Diagnostic, 'line' | 'col'>): Place {
  const lines = text.split('\n');
  const n = Math.min(Math.max(d.line, 1), lines.length) - 1;
  let start = 0;
  for (let i = 0; i < n; i++) start += lines[i].length + 1;
  const line = lines[n];
  if (d.line > lines.length) return { from: text.length, to: text.length };
  if (d.col < 1) return { from: start, to: start + line.length };
  const at = unitsOf(line, d.col);
  const word = /^(?:[\p{L}\p{N}_]+|"(?:\\.|[^"\\])*"|[^\s])/u.exec(line.slice(at));
  return { from: start + at, to: start + at + (word?.[0].length ?? 0) };
}

/** The place named in an error of a run, such as `disk.go:12:9: no such device`, or null. */
export function placeInText(error: string): { line: number; col: number } | null {
  const m = /(?:^|[\s(])[\w./-]+\.go:(\d+)(?::(\d+))?/.exec(error);
  return m ? { line: Number(m[1]), col: Number(m[2] ?? 0) } : null;
}
