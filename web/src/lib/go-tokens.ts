// Splits Go code into pieces of one colour each, for code that is only shown.

export type TokenKind = 'comment' | 'text' | 'number' | 'keyword' | 'type' | 'call' | 'plain';

export interface Token {
  kind: TokenKind;
  text: string;
}

const keywords = new Set(
  ('break case chan const continue default defer else fallthrough for func go goto if import interface map package ' +
    'range return select struct switch type var true false nil iota').split(' '),
);
const types = new Set(
  ('any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string ' +
    'uint uint8 uint16 uint32 uint64 uintptr').split(' '),
);
const piece =
  /(\/\/[^\n]*|\/\*[^]*?(?:\*\/|$))|(`[^`]*(?:`|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)|(\b\d[\w.]*)|([\p{L}_][\p{L}\p{N}_]*)/gu;

/** The pieces of a text, in order; together they are the text. */
export function tokens(text: string): Token[] {
  const out: Token[] = [];
  const put = (kind: TokenKind, part: string): void => {
    const last = out[out.length - 1];
    if (part === '') return;
    if (last?.kind === kind) last.text += part;
    else out.push({ kind, text: part });
  };
  let at = 0;
  for (const m of text.matchAll(piece)) {
    put('plain', text.slice(at, m.index));
    at = m.index + m[0].length;
    if (m[1]) put('comment', m[0]);
    else if (m[2]) put('text', m[0]);
    else if (m[3]) put('number', m[0]);
    else put(wordKind(m[0], text[at]), m[0]);
  }
  put('plain', text.slice(at));
  return out;
}

function wordKind(word: string, next: string | undefined): TokenKind {
  if (keywords.has(word)) return 'keyword';
  if (types.has(word)) return 'type';
  return next === '(' ? 'call' : 'plain';
}

/** The pieces line by line; a comment over three lines is a piece of each. */
export function tokenLines(text: string): Token[][] {
  const lines: Token[][] = [[]];
  for (const { kind, text: part } of tokens(text)) {
    part.split('\n').forEach((line, i) => {
      if (i > 0) lines.push([]);
      if (line) lines[lines.length - 1].push({ kind, text: line });
    });
  }
  return lines;
}
