// Labels as users type them. Pure.

/** The typed label; null if it is not one. */
export function labelFrom(text: string): { name: string; value: string } | null {
  const m = /^\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*=\s*([^\x00-\x1f<>]{1,512}?)\s*$/.exec(text);
  return m ? { name: m[1], value: m[2] } : null;
}
