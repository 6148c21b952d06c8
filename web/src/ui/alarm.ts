// The title and icon of the browser's tab, for users who look elsewhere.

import type { Problem } from '../data/problems.ts';

/** The title of the tab: (3) Now · Vedette. */
export function tabTitle(page: string, problems: Problem[]): string {
  const title = page ? `${page} · Vedette` : 'Vedette';
  return problems.length > 0 ? `(${problems.length}) ${title}` : title;
}

/** The icon for the severity. */
export function tabIcon(problems: Problem[]): string {
  if (problems.some((p) => p.tone === 'bad')) return '/favicon-bad.svg';
  return problems.length > 0 ? '/favicon-warn.svg' : '/favicon.svg';
}
