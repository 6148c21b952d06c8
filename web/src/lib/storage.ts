// What the page remembers. A browser that keeps nothing is no fault.

const prefix = 'vedette.';

export function load<T>(name: string, otherwise: T): T {
  return read(() => localStorage, name, otherwise);
}

export function save(name: string, value: unknown): void {
  write(() => localStorage, name, value);
}

/** The token lives as long as the tab. */
export function loadToken(): string {
  return read(() => sessionStorage, 'token', '');
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
