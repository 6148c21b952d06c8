// Code that is shown and not edited, and the difference of two versions of it.

import { counts, diff, hunks } from '../lib/diff.ts';
import { tokenLines, type Token } from '../lib/go-tokens.ts';

const signs = { same: ' ', added: '+', removed: '-' } as const;

function Pieces({ line }: { line: Token[] }) {
  return (
    <>
      {line.map((t) => (t.kind === 'plain' ? t.text : <span data-token={t.kind}>{t.text}</span>))}
      {'\n'}
    </>
  );
}

/** A Go file with the numbers of its lines. */
export function CodeView({ source, label }: { source: string; label: string }) {
  return (
    <pre class="code" tabIndex={0} role="region" aria-label={label}>
      {tokenLines(source.replace(/\n$/, '')).map((line, i) => (
        <span class="code-line">
          <span class="code-number" aria-hidden="true">
            {i + 1}
          </span>
          <Pieces line={line} />
        </span>
      ))}
    </pre>
  );
}

/** The difference between two versions. */
export function DiffView({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = diff(before, after);
  const { added, removed } = counts(lines);
  if (added + removed === 0) return <p class="waiting">The code is the same.</p>;
  return (
    <>
      <p class="count">
        <span data-diff="added">+{added}</span> <span data-diff="removed">−{removed}</span> lines
      </p>
      <pre class="code" tabIndex={0} role="region" aria-label={label}>
        {hunks(lines).map((l) =>
          l === null ? (
            <span class="code-line left-out">{'…\n'}</span>
          ) : (
            <span class="code-line" data-diff={l.kind}>
              <span class="code-number" aria-hidden="true">
                {l.after || l.before}
              </span>
              {`${signs[l.kind]} ${l.text}\n`}
            </span>
          ),
        )}
      </pre>
    </>
  );
}
