// Completions and explanations of the editor. The table is generated from the
// checker's; the types of variables are guessed from the text before the cursor.

/** A name of a package, or a field or method of a type. */
export interface Word {
  n: string;
  k: string;
  /** Its type, as Go writes it. */
  t?: string;
  d?: string;
  m?: Word[];
}

export interface Package {
  path: string;
  name: string;
  doc?: string;
  words: Word[];
}

/** A word and the part before its dot. */
export interface Found {
  word: Word;
  /** `strings`, or `*inspectors.Report`. */
  of: string;
}

const deepest = 6; // steps from a variable to its type

export class Words {
  private readonly byPath: Map<string, Package>;
  private readonly byName = new Map<string, Package[]>();

  constructor(readonly packages: Package[]) {
    this.byPath = new Map(packages.map((p) => [p.path, p]));
    for (const p of packages) this.byName.set(p.name, [...(this.byName.get(p.name) ?? []), p]);
  }

  /** The package of a name in a text: an imported one, or else the one with that name. */
  packageOf(name: string, text: string): Package | undefined {
    const imported = [...text.matchAll(/^\s*(?:import\s+)?(?:([\w.]+)\s+)?"([\w./-]+)"/gm)]
      .map(([, as, path]) => ({ as, found: this.byPath.get(path) }))
      .find(({ as, found }) => found && (as ?? found.name) === name);
    return imported?.found ?? this.byName.get(name)?.[0];
  }

  /** The words that may follow `before`, which is an expression such as `strings` or `u.Path`. */
  after(expression: string, text: string): { of: string; words: Word[] } | null {
    const parts = expression.split('.');
    if (!declared(parts[0], text)) {
      const p = this.packageOf(parts[0], text);
      if (p && parts.length === 1) return { of: p.name, words: p.words };
    }
    const type = this.typeOf(expression, text, 0);
    const members = type ? this.members(type, text) : undefined;
    return type && members ? { of: type, words: members } : null;
  }

  /** The word for `expression.name`, or null. */
  find(expression: string, name: string, text: string): Found | null {
    const list = this.after(expression, text);
    const word = list?.words.find((w) => w.n === name);
    return list && word ? { word, of: list.of } : null;
  }

  private members(type: string, text: string): Word[] | undefined {
    const m = /^\*?(\w+)\.(\w+)$/.exec(type);
    return m ? this.packageOf(m[1], text)?.words.find((w) => w.n === m[2])?.m : undefined;
  }

  private typeOf(expression: string, text: string, depth: number): string | undefined {
    if (depth > deepest) return undefined;
    const call = /^(.*?)\(.*\)$/s.exec(expression);
    if (call) return this.resultsOf(call[1], text, depth + 1)[0];
    const at = expression.lastIndexOf('.');
    if (at < 0) return this.typeOfName(expression, text, depth);
    const [of, name] = [expression.slice(0, at), expression.slice(at + 1)];
    const p = declared(of, text) ? undefined : this.packageOf(of, text);
    const words = p ? p.words : this.members(this.typeOf(of, text, depth + 1) ?? '', text);
    const word = words?.find((w) => w.n === name);
    return word?.k === 'method' || word?.k === 'func' ? undefined : word?.t;
  }

  /** The types of the results of a function, such as `disk.Usage` or `p.Status`. */
  private resultsOf(callee: string, text: string, depth: number): string[] {
    const at = callee.lastIndexOf('.');
    if (at < 0) return [];
    const [of, name] = [callee.slice(0, at), callee.slice(at + 1)];
    const p = declared(of, text) ? undefined : this.packageOf(of, text);
    const words = p ? p.words : this.members(this.typeOf(of, text, depth + 1) ?? '', text);
    const type = words?.find((w) => w.n === name && (w.k === 'func' || w.k === 'method'))?.t;
    return type ? results(type) : [];
  }

  private typeOfName(name: string, text: string, depth: number): string | undefined {
    const id = `(?<![\\w.])${name}`;
    const last = (re: RegExp): RegExpMatchArray | undefined => [...text.matchAll(re)].at(-1);
    const ranged = last(new RegExp(`${id}\\s*:=\\s*range\\s+([\\w.]+(?:\\([^)\\n]*\\))?)`, 'g'));
    if (ranged) return element(this.typeOf(ranged[1], text, depth + 1));
    const made = last(new RegExp(`([\\w, ]*\\b${name}\\b[\\w, ]*):=\\s*&?([\\w.]+)(\\(|\\{)?`, 'g'));
    if (made && !/^range$/.test(made[2])) {
      const place = made[1].split(',').findIndex((n) => n.trim().split(' ').at(-1) === name);
      if (made[3] === '(') return this.resultsOf(made[2], text, depth + 1)[Math.max(place, 0)];
      if (made[3] === '{') return made[2];
      return this.typeOf(made[2], text, depth + 1);
    }
    return last(new RegExp(`${id}\\s+(\\*?\\w+\\.\\w+)`, 'g'))?.[1];
  }
}

/** Whether a name is a variable or a parameter in a text. */
function declared(name: string, text: string): boolean {
  if (!/^\w+$/.test(name)) return false;
  return new RegExp(`(?<![\\w."])${name}\\b[\\w, ]*:=|(?:[(,]|\\bvar)\\s*${name}\\s+[*\\w[]`).test(text);
}

/** The type of the second value of a range over a type. */
function element(type: string | undefined): string | undefined {
  return type?.replace(/^(?:\[\d*\]|map\[[^\]]*\])/, '');
}

/** The types of the results in `func(a int) (b, error)`. */
export function results(type: string): string[] {
  let depth = 0;
  let end = -1;
  for (let i = type.indexOf('('); i >= 0 && i < type.length; i++) {
    if (type[i] === '(') depth++;
    if (type[i] === ')' && --depth === 0) {
      end = i;
      break;
    }
  }
  const rest = end < 0 ? '' : type.slice(end + 1).trim();
  if (!rest.startsWith('(')) return rest ? [rest] : [];
  return rest
    .slice(1, -1)
    .split(',')
    .map((r) => r.trim().split(' ').at(-1) ?? '');
}
