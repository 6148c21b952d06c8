// A board while it is changed: what it is, how to undo, and how it comes to the master.

import { signal, type Signal } from '@preact/signals';
import { Code, RpcError } from '../../lib/rpc.ts';
import type { Board, BoardContent } from '../../data/wire.gen.ts';

interface Rpc {
  call<T>(method: string, params: object): Promise<T>;
}

const mostUndo = 50;

export class Edit {
  /** The board as it is here; null while nobody changes it. */
  readonly content: Signal<BoardContent | null> = signal(null);
  /** Why it was not kept, or ''. */
  readonly error = signal('');
  /** Somebody else has changed it meanwhile. */
  readonly conflict = signal(false);
  readonly undoes = signal(0);
  private version = '';
  private past: BoardContent[] = [];

  constructor(
    private readonly rpc: Rpc,
    private readonly name: string,
  ) {}

  begin(board: Board): void {
    this.version = board.version;
    this.past = [];
    this.undoes.value = 0;
    this.error.value = '';
    this.conflict.value = false;
    this.content.value = { title: board.title, variables: board.variables ?? [], panels: board.panels ?? [] };
  }

  change(next: Partial<BoardContent>): void {
    const before = this.content.peek();
    if (!before) return;
    this.past = [...this.past, before].slice(-mostUndo);
    this.undoes.value = this.past.length;
    this.content.value = { ...before, ...next };
  }

  undo(): void {
    const before = this.past.pop();
    if (before) this.content.value = before;
    this.undoes.value = this.past.length;
  }

  drop(): void {
    this.content.value = null;
    this.error.value = '';
    this.conflict.value = false;
  }

  /** Hands it to the master; true where it was kept. `over` the version that is there takes no account of others. */
  async keep(message: string, over?: string): Promise<boolean> {
    const content = this.content.peek();
    if (!content) return false;
    try {
      await this.rpc.call<Board>('boards.put', { name: this.name, content, version: over ?? this.version, message });
      this.drop();
      return true;
    } catch (e) {
      this.error.value = e instanceof Error ? e.message : String(e);
      this.conflict.value = e instanceof RpcError && e.code === Code.conflict;
      return false;
    }
  }
}
