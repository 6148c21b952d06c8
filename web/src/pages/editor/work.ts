// The work in the editor: the text, its origin, and the findings of the checker.

import { effect, signal, type Signal } from '@preact/signals';
import type { Checked, Code, Diagnostic } from '../../data/catalog.ts';
import { Code as ErrorCode, RpcError } from '../../lib/rpc.ts';
import { draftOf, dropDraft, keepDraft } from '../../editor/drafts.ts';

interface Rpc {
  call<T>(method: string, params: object): Promise<T>;
}

const settle = 250; // ms without a key before the checker is asked
const busyWait = 1_000; // ms before it is asked again when it has too much to do

export class Work {
  readonly source: Signal<string>;
  /** The name if the text gives none. */
  readonly name: Signal<string>;
  /** The revision that it was made from; '' for none. */
  readonly base: Signal<string>;
  /** Hosts to push to. */
  readonly selector = signal('');
  /** The current hosts are known, so a push cannot change them unnoticed. */
  readonly aimed: Signal<boolean>;
  /** There is a draft of it in the browser. */
  readonly draft: Signal<boolean>;
  readonly checked: Signal<Checked | null> = signal(null);
  /** What runs of a trial have said about places in the current text. */
  readonly ran: Signal<Diagnostic[]> = signal([]);
  /** The check is of the current text. */
  readonly fresh = signal(false);
  readonly checkError = signal('');
  /** Increases when the text is replaced, not typed. */
  readonly loads = signal(0);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn = 0;

  constructor(
    private readonly rpc: Rpc,
    /** The inspector of the page; '' for a new one. */
    readonly of: string,
  ) {
    const draft = draftOf(of);
    this.source = signal(draft?.source ?? '');
    this.base = signal(draft?.base ?? '');
    this.draft = signal(draft !== null);
    this.name = signal(of);
    this.aimed = signal(of === '');
  }

  /** Follows the text until the result is called. */
  start(live: Signal<{ kind: string }>): () => void {
    const stop = effect(() => {
      void this.source.value;
      void this.selector.value;
      void this.name.value;
      this.fresh.value = false;
      if (live.value.kind === 'live') this.ask(settle);
    });
    return () => {
      stop();
      this.turn++;
      clearTimeout(this.timer);
    };
  }

  /** Stores the typed text, also in the browser. */
  type(text: string): void {
    this.source.value = text;
    this.ran.value = [];
    keepDraft(this.of, { source: text, base: this.base.peek(), savedMs: Date.now() });
    this.draft.value = true;
  }

  /** Sets its current hosts, once; afterwards the user's choice counts. */
  aim(selector: string): void {
    if (this.aimed.peek()) return;
    this.selector.value = selector;
    this.aimed.value = true;
  }

  /** Starts again from a text: the running code, or a template. */
  begin(text: string, base: string): void {
    this.base.value = base;
    this.source.value = text;
    this.ran.value = [];
    this.draft.value = false;
    dropDraft(this.of);
    this.loads.value++;
  }

  /** It was pushed, so the draft is dropped. */
  pushed(revision: string): void {
    this.base.value = revision;
    this.draft.value = false;
    dropDraft(this.of);
  }

  get code(): Code {
    return codeOf(this.source.value, this.name.value);
  }

  /** It has a name, in its text or beside it. */
  get isNamed(): boolean {
    return (named(this.source.value) || this.name.value) !== '';
  }

  private ask(wait: number): void {
    clearTimeout(this.timer);
    const turn = ++this.turn;
    this.timer = setTimeout(() => void this.check(turn), wait);
  }

  private async check(turn: number): Promise<void> {
    if (this.source.peek().trim() === '') return;
    const code = codeOf(this.source.peek(), this.name.peek());
    try {
      const checked = await this.rpc.call<Checked>('catalog.check', { code, selector: this.selector.peek() });
      if (turn !== this.turn) return;
      this.checked.value = { ...checked, diagnostics: checked.diagnostics ?? [] };
      this.checkError.value = '';
      this.fresh.value = true;
    } catch (e) {
      if (turn !== this.turn) return;
      if (e instanceof RpcError && e.code === ErrorCode.busy) {
        this.ask(busyWait);
        return;
      }
      this.checkError.value = e instanceof Error ? e.message : String(e);
    }
  }
}

/** The name under which code without a name is checked and tried. */
const nameless = 'unnamed/draft';

/** The code that is pushed and tried. A name in the text wins. */
export function codeOf(source: string, name: string): Code {
  return { name: named(source) ? '' : name || nameless, source };
}

/** The name that a text gives itself, or ''. */
export function named(source: string): string {
  const head = source.split(/^package\s/m, 1)[0];
  return /^\/\/vedette:name\s+(\S+)/m.exec(head)?.[1] ?? '';
}

/** The command line that pushes a file signed. */
export function signedPush(p: { name: string; selector: string; stages: string; bake: string; message: string }): string {
  const file = `${p.name.split('/').at(-1) || 'inspector'}.go`;
  const words = ['vedette', 'push', file];
  if (p.name) words.push('--name', p.name);
  if (p.selector) words.push('--to', p.selector);
  if (p.stages) words.push('--canary', p.stages.replaceAll(' ', ''));
  if (p.bake) words.push('--bake', p.bake.replaceAll(' ', ''));
  if (p.message) words.push('-m', p.message);
  return [...words, '--sign-key', 'signing.pem'].map(quoted).join(' ');
}

/** The command line with which a second person signs what is pushed, having read it. */
export function signAgain(name: string): string {
  const file = `${name.split('/').at(-1) || 'inspector'}.go`;
  return ['vedette', 'inspector', 'sign', name || 'NAME', '--file', file, '--sign-key', 'second.pem'].map(quoted).join(' ');
}

/** How many must sign, according to the reasons for which hosts refuse; 0 if no reason is about that. */
export function signersWanted(reasons: string[]): number {
  return Math.max(0, ...reasons.map((r) => (r.includes('signed by') ? Number(/signed by (\d+) of /.exec(r)?.[1] ?? 1) : 0)));
}

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w./:=,%@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
