// A board while it is edited: its content, undo, and saving on the master.

import { signal, type Signal } from '@preact/signals';
import { Code, RpcError } from '../../lib/rpc.ts';
import type { Board, BoardContent } from '../../data/wire.gen.ts';

interface Rpc {
  call<T>(method: string, params: object): Promise<T>;
}

const mostUndo = 50;

export class Edit {
  /** The board as edited; null if nobody is editing. */
  readonly content: Signal<BoardContent | null> = signal(null);
  /** Why it was not saved, or ''. */
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

  /** Saves it on the master; true on success. `over` replaces the given version, whoever made it. */
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
