import { expect, test } from 'vitest';
import { Code, RpcError } from '../../lib/rpc.ts';
import { Edit } from './edit.ts';

const board = { name: 'team', title: 'Team', panels: null, version: '3' };

test('changes are undone one after the other, and dropped at once', () => {
  const edit = new Edit({ call: async () => ({}) as never }, 'team');
  edit.change({ title: 'before it begins' });
  expect(edit.content.value).toBeNull();
  edit.begin(board);
  for (let i = 0; i < 60; i++) edit.change({ title: `${i}` });
  expect(edit.undoes.value).toBe(50);
  edit.undo();
  expect(edit.content.value!.title).toBe('58');
  for (let i = 0; i < 60; i++) edit.undo();
  expect([edit.content.value!.title, edit.undoes.value]).toEqual(['9', 0]);
  edit.drop();
  expect(edit.content.value).toBeNull();
});

test('a change that somebody else was faster with is told, and kept here', async () => {
  const calls: any[] = [];
  let fails = true;
  const rpc = {
    call: async <T>(method: string, params: object): Promise<T> => {
      calls.push([method, params]);
      if (fails) throw new RpcError(Code.conflict, 'changed by anna');
      return {} as T;
    },
  };
  const edit = new Edit(rpc, 'team');
  edit.begin(board);
  edit.change({ title: 'mine' });
  expect(await edit.keep('why')).toBe(false);
  expect([edit.error.value, edit.conflict.value, edit.content.value!.title]).toEqual(['changed by anna', true, 'mine']);
  fails = false;
  expect(await edit.keep('why', '4')).toBe(true);
  expect(edit.content.value).toBeNull();
  expect(calls.map(([m, p]) => [m, p.version, p.message])).toEqual([['boards.put', '3', 'why'], ['boards.put', '4', 'why']]);
});
