// Keys that work everywhere on the page, except while the user types text.

export type Command = { kind: 'palette' | 'search' | 'help' | 'earlier' | 'later' | 'wider' | 'live' } | { kind: 'jump'; key: string };

/** The part of a keyboard event that matters here. */
export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

const simple: Record<string, Command> = {
  '/': { kind: 'search' },
  '?': { kind: 'help' },
  '[': { kind: 'earlier' },
  ']': { kind: 'later' },
  '-': { kind: 'wider' },
  l: { kind: 'live' },
};

const patience = 1_500; // ms between g and what follows

/** Reads one key after the other. */
export class Keys {
  private gAt = -Infinity;

  /** The command that a key completes, or null. `writing`: a text field has the focus. */
  read(e: Press, writing: boolean, now: number): Command | null {
    if ((e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === 'k') return { kind: 'palette' };
    if (writing || e.ctrlKey || e.metaKey || e.altKey) return null;
    const after = now - this.gAt < patience;
    this.gAt = -Infinity;
    if (after && /^[a-z]$/.test(e.key)) return { kind: 'jump', key: e.key };
    if (e.key === 'g') this.gAt = now;
    return simple[e.key] ?? null;
  }
}

/** Whether keys are meant for an element. */
export function writesInto(target: EventTarget | null): boolean {
  const e = target as HTMLElement | null;
  return Boolean(e?.closest?.('input, textarea, select, [contenteditable], go-editor, promql-editor, dialog'));
}
