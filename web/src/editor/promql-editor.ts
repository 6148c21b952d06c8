// <promql-editor>: CodeMirror for one PromQL expression, in a shadow root. Names,
// labels and functions are completed from what the master has; what is wrong is
// marked while one types.
//
// Properties: value, fetch (asks the master over HTTP), fault (what the master says of
// the text, and where), changed, run, label.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, insertNewline } from '@codemirror/commands';
import { bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { forceLinting, linter, lintKeymap, type Diagnostic } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { drawSelection, EditorView, highlightSpecialChars, keymap, placeholder } from '@codemirror/view';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';
import type { Fetch } from '../data/prom.ts';
import { placeOf } from './places.ts';
import { highlight, look } from './theme.ts';

/** The fault and its place: line and column from 1; 0 for nowhere. */
export interface Fault {
  message: string;
  line: number;
  col: number;
}

const small = EditorView.theme({
  '.cm-scroller': { maxHeight: '200px' },
  '.cm-content': { padding: '7px 0' },
  '.cm-line': { padding: '0 10px' },
  '.cm-tooltip-autocomplete': { fontFamily: 'inherit' },
  '.cm-completionIcon': { display: 'none' },
  '.cm-lintRange-error': { textDecoration: 'underline wavy var(--bad)', backgroundImage: 'none' },
});

export class PromqlEditor extends HTMLElement {
  changed: (text: string) => void = () => {};
  run: () => void = () => {};
  fetch: Fetch = (path, init) => fetch(path, init);
  label = 'Query';
  private text = '';
  private said: Fault | null = null;
  private saidOf = ''; // the text of the fault
  private view: EditorView | undefined;
  private promql: PromQLExtension | undefined;
  private readonly root = this.attachShadow({ mode: 'open' });

  connectedCallback(): void {
    const promql = new PromQLExtension().activateLinter(false).setComplete({ remote: { fetchFn: (input, init) => this.fetch(String(input), init), httpMethod: 'GET' } });
    const check = promql.getLinter().promQL();
    this.promql = promql;
    this.view = new EditorView({
      root: this.root,
      parent: this.root,
      state: EditorState.create({
        doc: this.text,
        extensions: [
          highlightSpecialChars(),
          history(),
          drawSelection(),
          EditorView.lineWrapping,
          syntaxHighlighting(highlight),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          promql.asExtension(),
          linter(async (view) => [...(await check(view)), ...this.told(view)]),
          placeholder('rate(network_receive_bytes_total[1m])'),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap.filter((k) => k.key !== 'Enter' && k.key !== 'Mod-Enter'), ...historyKeymap, ...completionKeymap, ...lintKeymap]),
          // An open completion takes Enter first.
          Prec.high(keymap.of([{ key: 'Enter', run: () => (this.run(), true) }, { key: 'Mod-Enter', run: () => (this.run(), true) }, { key: 'Shift-Enter', run: insertNewline }])),
          EditorView.contentAttributes.of({ 'aria-label': this.label, tabindex: '0' }),
          EditorView.updateListener.of((u) => {
            const text = u.docChanged ? u.state.sliceDoc(0) : this.text;
            if (text === this.text) return; // set from outside, not typed
            this.text = text;
            this.changed(text);
          }),
          look,
          small,
        ],
      }),
    });
  }

  disconnectedCallback(): void {
    this.view?.destroy();
    this.promql?.destroy();
    this.view = undefined;
  }

  get value(): string {
    return this.text;
  }

  set value(text: string) {
    if (text === this.text) return;
    this.text = text;
    this.view?.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text } });
  }

  /** The master's fault about the current text; null for none. */
  set fault(fault: Fault | null) {
    if (fault === this.said) return;
    this.said = fault;
    this.saidOf = this.text;
    if (this.view) forceLinting(this.view);
  }

  private told(view: EditorView): Diagnostic[] {
    const text = view.state.sliceDoc(0);
    if (!this.said || this.said.line < 1 || text !== this.saidOf) return [];
    const { from, to } = placeOf(text, this.said);
    // A fault at the end is marked at the last letter.
    const begin = Math.min(from, Math.max(0, text.length - 1));
    return [{ from: begin, to: Math.max(to, Math.min(begin + 1, text.length)), severity: 'error', message: this.said.message }];
  }

  /** Moves the cursor to a place and shows it. */
  goTo(line: number, col: number): void {
    this.view?.dispatch({ selection: { anchor: placeOf(this.text, { line, col: Math.max(col, 1) }).from }, scrollIntoView: true });
    this.view?.focus();
  }

  /** Opens the completions at the cursor. */
  complete(): void {
    if (!this.view) return;
    this.view.focus();
    startCompletion(this.view);
  }
}

export function definePromqlEditor(): void {
  if (!customElements.get('promql-editor')) customElements.define('promql-editor', PromqlEditor);
}

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'promql-editor': {
        key?: string;
        ref?: import('preact').Ref<PromqlEditor>;
        value?: string;
        changed?: (text: string) => void;
        run?: () => void;
        fetch?: Fetch;
        fault?: Fault | null;
        label?: string;
        class?: string;
      };
    }
  }
}
