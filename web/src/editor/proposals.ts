// Completion and explanations in the editor, from the table of words.

import { snippetCompletion, type Completion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { hoverTooltip, type EditorView, type Tooltip } from '@codemirror/view';
import { Words, type Found, type Package, type Word } from './words.ts';

/** The table, fetched on first use. */
export function wordsOnDemand(): () => Promise<Words> {
  let loading: Promise<Words> | undefined;
  return () => (loading ??= import('./words.json?raw').then((m) => new Words(JSON.parse(m.default) as Package[])));
}

const kinds: Record<string, string> = { func: 'function', method: 'method', field: 'property', const: 'constant', var: 'variable', type: 'type' };
const keywords = 'break case const continue default defer else for func if import package range return struct switch type var nil true false'.split(' ');

/** The text before the cursor: an expression, a dot, and the start of a name. */
const dotted = /([A-Za-z_][\w.]*(?:\([^()\n]*\))?)\.(\w*)$/;

export function complete(words: () => Promise<Words>) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    if (/^\s*\/\//.test(before)) return null;
    const table = await words();
    const text = context.state.sliceDoc(0);
    const path = /^\s*(?:import\s+)?(?:\w+\s+)?"([\w./-]*)$/.exec(before);
    if (path) {
      const options = table.packages.map((p) => ({ label: p.path, type: 'namespace', info: p.doc }));
      return { from: context.pos - path[1].length, options, validFor: /^[\w./-]*$/ };
    }
    const member = dotted.exec(before);
    if (member) {
      const list = table.after(member[1], text.slice(0, line.from + member.index) || text) ?? table.after(member[1], text);
      if (!list) return null;
      return { from: context.pos - member[2].length, options: list.words.map(proposal), validFor: /^\w*$/ };
    }
    const word = context.matchBefore(/[A-Za-z_]\w*$/);
    if (!word && !context.explicit) return null;
    const options: Completion[] = [
      ...table.packages.map((p) => ({ label: p.name, detail: p.path, type: 'namespace', info: p.doc })),
      ...keywords.map((label) => ({ label, type: 'keyword' })),
      snippetCompletion('if err != nil {\n\treturn ${err}\n}', { label: 'iferr', detail: 'return the error', type: 'keyword' }),
    ];
    return { from: word?.from ?? context.pos, options, validFor: /^\w*$/ };
  };
}

function proposal(w: Word): Completion {
  return { label: w.n, type: kinds[w.k] ?? 'text', detail: shape(w), info: w.d };
}

/** The type of a word in a few characters. */
function shape(w: Word): string {
  const text = (w.t ?? '').replace(/^func/, '');
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

export function explain(words: () => Promise<Words>) {
  return hoverTooltip(async (view, pos, side): Promise<Tooltip | null> => {
    const at = view.state.doc.lineAt(pos);
    const range = view.state.wordAt(pos);
    if (!range || (range.from === pos && side < 0)) return null;
    const name = view.state.sliceDoc(range.from, range.to);
    const before = view.state.sliceDoc(at.from, range.from);
    const table = await words();
    const of = /([A-Za-z_][\w.]*(?:\([^()\n]*\))?)\.$/.exec(before);
    const text = view.state.sliceDoc(0);
    const found = of ? table.find(of[1], name, text) : null;
    const pack = of ? undefined : table.packageOf(name, text);
    if (!found && !pack) return null;
    return { pos: range.from, end: range.to, above: true, create: (v) => ({ dom: found ? tip(v, found) : packageTip(pack!) }) };
  });
}

function tip(_view: EditorView, { word, of }: Found): HTMLElement {
  const what = word.k === 'func' || word.k === 'method' ? `func ${of}.${word.n}${(word.t ?? '').replace(/^func/, '')}` : `${word.k} ${of}.${word.n} ${word.t ?? ''}`;
  return tipOf(what, word.d);
}

function packageTip(p: Package): HTMLElement {
  return tipOf(`package ${p.name} // import "${p.path}"`, p.doc);
}

function tipOf(what: string, said: string | undefined): HTMLElement {
  const dom = document.createElement('div');
  dom.className = 'cm-tip';
  const code = document.createElement('code');
  code.textContent = what;
  dom.append(code, said ?? '');
  return dom;
}
