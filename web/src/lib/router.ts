// Paths of the page and who shows them. Links are plain <a href>: a click on
// one that leads to another page of ours is taken before the browser does.

import { signal, type Signal } from '@preact/signals';

export type Route = { page: 'hosts' } | { page: 'host'; host: string } | { page: 'unknown' };

export function parse(path: string): Route {
  if (path === '/' || path === '/hosts' || path === '/hosts/') return { page: 'hosts' };
  const match = /^\/hosts\/([^/]+)\/?$/.exec(path);
  if (!match) return { page: 'unknown' };
  try {
    return { page: 'host', host: decodeURIComponent(match[1]) };
  } catch {
    return { page: 'unknown' };
  }
}

export function hostPath(host: string): string {
  return `/hosts/${encodeURIComponent(host)}`;
}

export class Router {
  readonly route: Signal<Route> = signal(parse(location.pathname));
  private readonly onPop = (): void => {
    this.route.value = parse(location.pathname);
  };
  private readonly onClick = (e: MouseEvent): void => {
    if (e.defaultPrevented || e.button !== 0) return;
    if (e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const link = (e.target as Element).closest?.('a[href]') as HTMLAnchorElement | null;
    if (!link || link.origin !== location.origin || link.target || link.hash) return;
    const route = parse(link.pathname);
    if (route.page === 'unknown') return; // not ours: the master may serve it
    e.preventDefault();
    this.go(link.pathname);
  };

  start(): void {
    addEventListener('popstate', this.onPop);
    document.addEventListener('click', this.onClick);
  }

  stop(): void {
    removeEventListener('popstate', this.onPop);
    document.removeEventListener('click', this.onClick);
  }

  go(path: string): void {
    // What is shown of every page, as the window of time, stays.
    if (path !== location.pathname) history.pushState(null, '', path + location.search);
    this.route.value = parse(path);
    scrollTo(0, 0);
    // Whoever cannot see the page change is told by its heading.
    requestAnimationFrame(() => document.querySelector<HTMLElement>('h1')?.focus());
  }
}

/** Milliseconds of the window that the address names, as ?window=15m or 6h; 0 where it names none. */
export function windowFromURL(search = location.search): number {
  const match = /^(\d{1,4})(m|h)$/.exec(new URLSearchParams(search).get('window') ?? '');
  return match ? Number(match[1]) * (match[2] === 'h' ? 3_600_000 : 60_000) : 0;
}

/** Writes a window into the address, so that a copied link shows the same. */
export function windowToURL(ms: number): void {
  const minutes = ms / 60_000;
  const url = new URL(location.href);
  url.searchParams.set('window', minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`);
  history.replaceState(history.state, '', url);
}
