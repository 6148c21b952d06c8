// <go-editor>: CodeMirror for one Go file, in a shadow root, where its styles are
// sheets that the policy of the page allows.
//
// Properties: value, faults (as the checker gives them), onchange, label.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, indentUnit, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { go } from '@codemirror/legacy-modes/mode/go';
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic as Mark } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from '@codemirror/view';
import type { Diagnostic } from '../data/catalog.ts';
import { placeOf } from './places.ts';
import { complete, explain, wordsOnDemand } from './proposals.ts';
import { highlight, look } from './theme.ts';

export class GoEditor extends HTMLElement {
  changed: (text: string) => void = () => {};
  label = 'Source';
  private text = '';
  private marks: Diagnostic[] = [];
  private view: EditorView | undefined;
  private readonly root = this.attachShadow({ mode: 'open' });

  connectedCallback(): void {
    const words = wordsOnDemand();
    this.view = new EditorView({
      root: this.root,
      parent: this.root,
      state: EditorState.create({
        doc: this.text,
        extensions: [
          lineNumbers(),
          highlightActiveLineGutter(),
          highlightSpecialChars(),
          history(),
          drawSelection(),
          indentUnit.of('\t'),
          EditorState.tabSize.of(4),
          StreamLanguage.define(go),
          syntaxHighlighting(highlight),
          bracketMatching(),
          closeBrackets(),
          autocompletion({ override: [complete(words)] }),
          explain(words),
          lintGutter(),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
          EditorView.contentAttributes.of({ 'aria-label': this.label, tabindex: '0' }),
          EditorView.updateListener.of((u) => {
            const text = u.docChanged ? u.state.sliceDoc(0) : this.text;
            if (text === this.text) return; // set from outside, not typed
            this.text = text;
            this.changed(this.text);
          }),
          look,
        ],
      }),
    });
    this.mark();
  }

  disconnectedCallback(): void {
    this.view?.destroy();
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

  set faults(list: Diagnostic[]) {
    this.marks = list;
    this.mark();
  }

  /** Moves the cursor to a place and shows it. */
  goTo(line: number, col: number): void {
    const { view } = this;
    if (!view) return;
    const { from } = placeOf(this.text, { line, col: Math.max(col, 1) });
    view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
    view.focus();
  }

  private mark(): void {
    const { view } = this;
    if (!view) return;
    const marks = this.marks.map((d): Mark => {
      const place = d.line > 0 ? placeOf(this.text, d) : { from: 0, to: 0 };
      return { ...place, severity: 'error', message: d.fix ? `${d.message}\n${d.fix}` : d.message };
    });
    view.dispatch(setDiagnostics(view.state, marks.sort((a, b) => a.from - b.from)));
  }
}

export function defineGoEditor(): void {
  if (!customElements.get('go-editor')) customElements.define('go-editor', GoEditor);
}

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'go-editor': {
        ref?: import('preact').Ref<GoEditor>;
        value?: string;
        faults?: Diagnostic[];
        changed?: (text: string) => void;
        label?: string;
        class?: string;
      };
    }
  }
}
