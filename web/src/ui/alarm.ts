// What the tab of the browser says when somebody looks elsewhere: its title and
// its icon.

import type { Problem } from '../data/problems.ts';

/** The title of the tab: (3) Now · Vedette. */
export function tabTitle(page: string, problems: Problem[]): string {
  const title = page ? `${page} · Vedette` : 'Vedette';
  return problems.length > 0 ? `(${problems.length}) ${title}` : title;
}

/** The icon that tells how bad it is. */
export function tabIcon(problems: Problem[]): string {
  if (problems.some((p) => p.tone === 'bad')) return '/favicon-bad.svg';
  return problems.length > 0 ? '/favicon-warn.svg' : '/favicon.svg';
}
