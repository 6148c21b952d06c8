// The page's storage. A browser without storage is no error.

const prefix = 'vedette.';

export function load<T>(name: string, otherwise: T): T {
  return read(() => localStorage, name, otherwise);
}

export function save(name: string, value: unknown): void {
  write(() => localStorage, name, value);
}

/**
 * The token lives as long as the tab. A link may carry one behind its #, which
 * browsers do not send; it is removed from the address, and so from the history.
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
    // In private windows and on full disks nothing is stored.
  }
}
