// The part of Node's EventEmitter that pages use.

export type Handler = (...args: any[]) => void;

/** Calls a handler of the page. An exception in it is the page's own error, and does not stop our code. */
export function guarded(handler: Handler, ...args: unknown[]): void {
  try {
    handler(...args);
  } catch (e) {
    setTimeout(() => {
      throw e;
    });
  }
}

export class EventEmitter {
  private readonly handlers = new Map<string, Handler[]>();

  on(event: string, handler: Handler): this {
    if (typeof handler !== 'function') throw new TypeError('the handler of an event is a function');
    this.handlers.set(event, [...this.listeners(event), handler]);
    return this;
  }

  addListener(event: string, handler: Handler): this {
    return this.on(event, handler);
  }

  once(event: string, handler: Handler): this {
    const once = Object.assign(
      (...args: unknown[]): void => {
        this.off(event, once);
        handler.apply(this, args);
      },
      { handler },
    );
    return this.on(event, once);
  }

  off(event: string, handler: Handler): this {
    const stay = this.listeners(event).filter((h) => h !== handler && (h as any).handler !== handler);
    this.handlers.set(event, stay);
    return this;
  }

  removeListener(event: string, handler: Handler): this {
    return this.off(event, handler);
  }

  removeAllListeners(event?: string): this {
    if (event === undefined) this.handlers.clear();
    else this.handlers.delete(event);
    return this;
  }

  listeners(event: string): Handler[] {
    return this.handlers.get(event) ?? [];
  }

  /** Calls each handler. An exception in one is reported, and does not stop the others. */
  emit(event: string, ...args: unknown[]): boolean {
    const handlers = this.listeners(event);
    for (const handler of handlers) guarded(handler.bind(this), ...args);
    return handlers.length > 0;
  }
}
