// For tests: a canvas that accepts every call and draws nothing.

/** Makes canvases accept drawing, in documents that cannot draw. */
export function fakeCanvas(): void {
  const context: unknown = new Proxy(
    {},
    {
      get: (values: Record<string, unknown>, name: string) => (name in values ? values[name] : name === 'measureText' ? () => ({ width: 10 }) : () => context),
      set: (values: Record<string, unknown>, name: string, value) => ((values[name] = value), true),
    },
  );
  HTMLCanvasElement.prototype.getContext = (() => context) as never;
  (globalThis as Record<string, unknown>).Path2D = class {
    constructor() {
      return context as object;
    }
  };
}
