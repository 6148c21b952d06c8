// The filter of hosts: label selectors like those of a push, and words that may occur
// anywhere in what is shown of a host. Pure.

export type Term =
  | { kind: 'word'; word: string }
  | { kind: 'in' | 'not in'; label: string; values: string[] }
  | { kind: 'has' | 'lacks'; label: string };

/** The part of a host that a filter looks at. */
export interface Subject {
  labels: Record<string, string>;
  /** Name, state, versions, what is wrong: in lower case. */
  text: string;
}

const label = '[A-Za-z0-9_][A-Za-z0-9_./-]*';
const forms: [RegExp, (m: RegExpExecArray) => Term][] = [
  [
    new RegExp(`^(${label})\\s+(in|notin)\\s*\\(([^)]*)\\)`),
    (m) => ({ kind: m[2] === 'in' ? 'in' : 'not in', label: m[1], values: m[3].split(',').map((v) => v.trim()) }),
  ],
  [
    new RegExp(`^(${label})\\s*(==|!=|=)\\s*([^\\s,]*)`),
    (m) => ({ kind: m[2] === '!=' ? 'not in' : 'in', label: m[1], values: [m[3]] }),
  ],
  [new RegExp(`^!\\s*(${label})`), (m) => ({ kind: 'lacks', label: m[1] })],
  [/^[^\s,]+/, (m) => ({ kind: 'word', word: m[0].toLowerCase() })],
];

export function parseQuery(text: string): Term[] {
  const terms: Term[] = [];
  for (let rest = text.replace(/^[\s,]+/, ''); rest !== ''; rest = rest.replace(/^[\s,]+/, '')) {
    for (const [form, term] of forms) {
      const m = form.exec(rest);
      if (!m) continue;
      terms.push(term(m));
      rest = rest.slice(m[0].length);
      break;
    }
  }
  return terms;
}

/**
 * Says that no host was found, and what was searched, so users see if a selector
 * was not understood as one.
 */
export function noHost(query: string): string {
  const terms = parseQuery(query);
  if (terms.length === 0) return 'No host has reported yet.';
  const parts = terms.map((t) => {
    switch (t.kind) {
      case 'word':
        return `the word “${t.word}”`;
      case 'has':
        return `the label ${t.label}`;
      case 'lacks':
        return `no label ${t.label}`;
      default:
        return `${t.label} ${t.kind} (${t.values.join(', ')})`;
    }
  });
  return `No host has ${parts.join(' and ')}.`;
}

export function fits(terms: Term[], { labels, text }: Subject): boolean {
  return terms.every((t) => {
    switch (t.kind) {
      case 'word':
        return text.includes(t.word);
      case 'in':
        return t.label in labels && t.values.includes(labels[t.label]);
      case 'not in': // a host without the label is not one of them
        return !(t.label in labels) || !t.values.includes(labels[t.label]);
      case 'has':
        return t.label in labels;
      case 'lacks':
        return !(t.label in labels);
    }
  });
}
