// Paths and their pages. Links are plain <a href>: the router handles clicks on links
// to other pages of ours before the browser does.
//
// The state of a page (its filter, its order, its selection) is in the query of its
// address, so the address shows the same to somebody else. The names in `shared` belong
// to all pages and stay when another page is opened.

import { signal, type Signal } from '@preact/signals';

/** What the router must know about a page. */
export interface Place {
  id: string;
  path: string;
}

export interface Route {
  /** The id of the page; '' if there is none. */
  page: string;
  params: Record<string, string>;
}

/** Names in the query that all pages share. */
const shared = ['window', 'from', 'to', 'at'];

/** The values of a pattern's variables in a path, or null if it does not match. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const want = pattern.split('/').filter(Boolean);
  const have = path.split('/').filter(Boolean);
  const params: Record<string, string> = {};
  try {
    for (const [i, part] of want.entries()) {
      if (part.startsWith('*')) {
        if (have.length <= i) return null;
        params[part.slice(1)] = have.slice(i).map(decodeURIComponent).join('/');
        return params;
      }
      if (have.length <= i) return null;
      if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(have[i]);
      else if (part !== have[i]) return null;
    }
  } catch {
    return null; // an invalid escape
  }
  return want.length === have.length ? params : null;
}

export function hostPath(host: string): string {
  return `/hosts/${encodeURIComponent(host)}`;
}

/** A path below a page for a name that may have slashes, which stay: /inspectors/cpu/steal. */
export function below(page: string, name: string): string {
  return `${page}/${name.split('/').map(encodeURIComponent).join('/')}`;
}

/** A path with a query: at('/hosts', { q: 'role=db' }). What is empty is left out. */
export function at(path: string, query: Record<string, string>): string {
  const params = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== ''));
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

export class Router {
  readonly route: Signal<Route>;
  /** The query of the address, as it is after its `?`. */
  readonly query: Signal<string> = signal(location.search);
  /** The user has changed the page, so its heading must be read out. */
  moved = false;

  constructor(private readonly places: readonly Place[]) {
    this.route = signal(this.parse(location.pathname));
  }

  private readonly onPop = (): void => this.follow();
  private readonly onClick = (e: MouseEvent): void => {
    if (e.defaultPrevented || e.button !== 0) return;
    if (e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const link = (e.target as Element).closest?.('a[href]') as HTMLAnchorElement | null;
    if (!link || link.origin !== location.origin || link.target || link.hash || link.download) return;
    if (this.parse(link.pathname).page === '') return; // not ours: the master may serve it
    e.preventDefault();
    this.go(link.pathname + link.search);
  };

  start(): void {
    addEventListener('popstate', this.onPop);
    document.addEventListener('click', this.onClick);
  }

  stop(): void {
    removeEventListener('popstate', this.onPop);
    document.removeEventListener('click', this.onClick);
  }

  parse(path: string): Route {
    for (const { id, path: pattern } of this.places) {
      const params = match(pattern, path);
      if (params) return { page: id, params };
    }
    return { page: '', params: {} };
  }

  /** Opens a page. */
  go(address: string): void {
    const to = new URL(address, location.href);
    const now = new URLSearchParams(location.search);
    for (const name of shared) {
      const value = now.get(name);
      if (value !== null && !to.searchParams.has(name)) to.searchParams.set(name, value);
    }
    const next = to.pathname + to.search;
    if (next !== location.pathname + location.search) history.pushState(null, '', next);
    this.moved = true;
    this.follow();
    scrollTo(0, 0);
  }

  /** The value of a name in the address, or ''. Components that read it follow it. */
  get(name: string): string {
    return new URLSearchParams(this.query.value).get(name) ?? '';
  }

  /**
   * Writes into the query of the address; '' removes a name. With `push` the
   * browser's back button returns to the previous query.
   */
  set(values: Record<string, string>, push = false): void {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(values)) {
      if (value === '') url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    if (url.href === location.href) return;
    if (push) history.pushState(null, '', url);
    else history.replaceState(history.state, '', url);
    this.query.value = location.search;
  }

  private follow(): void {
    const next = this.parse(location.pathname);
    const now = this.route.peek();
    this.query.value = location.search;
    if (next.page !== now.page || JSON.stringify(next.params) !== JSON.stringify(now.params)) this.route.value = next;
  }
}
