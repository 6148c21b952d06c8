// What the page remembers. A browser that keeps nothing is no fault.

const prefix = 'vedette.';

export function load<T>(name: string, otherwise: T): T {
  return read(() => localStorage, name, otherwise);
}

export function save(name: string, value: unknown): void {
  write(() => localStorage, name, value);
}

/**
 * The token lives as long as the tab. A link may bring one behind its #, which
 * no browser sends; it is taken out of the address, and so of the history.
 */
export function loadToken(): string {
  const key = keyOf(location.hash);
  if (key) {
    saveToken(key);
    history.replaceState(history.state, '', location.pathname + location.search);
    return key;
  }
  return read(() => sessionStorage, 'token', '');
}

/** The key in the fragment of an address, or ''. */
export function keyOf(fragment: string): string {
  return /^#key=([A-Za-z0-9_-]{1,512})$/.exec(fragment)?.[1] ?? '';
}

export function saveToken(token: string): void {
  write(() => sessionStorage, 'token', token);
}

function read<T>(store: () => Storage, name: string, otherwise: T): T {
  try {
    const text = store().getItem(prefix + name);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

function write(store: () => Storage, name: string, value: unknown): void {
  try {
    store().setItem(prefix + name, JSON.stringify(value));
  } catch {
    // Private windows and full disks: it is forgotten, no more.
  }
}
