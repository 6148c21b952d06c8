import { signal } from '@preact/signals';
import { beforeEach, expect, test, vi } from 'vitest';
import { draftOf } from '../../editor/drafts.ts';
import { RpcError } from '../../lib/rpc.ts';
import { codeOf, named, quoted, signAgain, signedPush, signersWanted, Work } from './work.ts';

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers();
});

test('what is typed is kept at once, checked soon, and dropped when it was pushed', async () => {
  const asked: any[] = [];
  const work = new Work({ call: async <T>(_: string, p: object) => (asked.push(p), { diagnostics: null, hosts: 1 } as T) }, 'disk');
  const stop = work.start(signal({ kind: 'live' }));
  for (const text of ['p', 'pa', 'package x']) work.type(text);
  expect(draftOf('disk')?.source).toBe('package x');
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(300);
  expect(asked.map((p) => p.code.source)).toEqual(['package x']);
  expect([work.fresh.value, work.checked.value?.diagnostics]).toEqual([true, []]);
  expect(new Work({ call: vi.fn() }, 'disk').source.value).toBe('package x');
  work.type('package y');
  expect(work.fresh.value).toBe(false);
  work.pushed('r2');
  expect(draftOf('disk')).toBeNull();
  stop();
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.length).toBe(1);
});

test('a checker that is busy is asked again, and an old answer is not shown', async () => {
  let n = 0;
  const work = new Work(
    {
      call: async <T>() => {
        if (n++ === 0) throw new RpcError(-32029, 'busy');
        return { diagnostics: [], hosts: n } as T;
      },
    },
    '',
  );
  work.start(signal({ kind: 'live' }));
  work.type('package x');
  await vi.advanceTimersByTimeAsync(300);
  expect(work.checked.value).toBeNull();
  await vi.advanceTimersByTimeAsync(1100);
  expect(work.checked.value?.hosts).toBe(2);
});

test('the hosts that it is for are taken once, and not over what somebody wants', () => {
  const work = new Work({ call: vi.fn() }, 'disk');
  expect(work.aimed.value).toBe(false);
  work.aim('role=db');
  work.selector.value = 'role=web';
  work.aim('role=db');
  expect([work.aimed.value, work.selector.value]).toEqual([true, 'role=web']);
  expect(new Work({ call: vi.fn() }, '').aimed.value).toBe(true);
});

test('the name stands in the text or beside it', () => {
  expect(named('// x\n//vedette:name cpu/steal\npackage steal\n//vedette:name no\n')).toBe('cpu/steal');
  expect(named('package steal\n//vedette:name no\n')).toBe('');
  expect(codeOf('//vedette:name a\npackage a', 'b').name).toBe('');
  expect(codeOf('package a', 'b').name).toBe('b');
  expect(codeOf('package a', '').name).toBe('unnamed/draft'); // or the lack of a name hides every other fault
});

test('who else has to sign', () => {
  expect(signAgain('disk/used')).toBe('vedette inspector sign disk/used --file used.go --sign-key second.pem');
  expect(signAgain('')).toBe('vedette inspector sign NAME --file inspector.go --sign-key second.pem');
  expect(signersWanted([])).toBe(0);
  expect(signersWanted(['the policy allows no net'])).toBe(0);
  expect(signersWanted(['the host wants code that is signed by 0123 or 4567', 'not now'])).toBe(1);
  const two = 'the host wants code that is signed by 2 of 0123, 4567, and only 0123 has signed it';
  expect(signersWanted(['the host wants code that is signed by 0123', two])).toBe(2);
});

test('the command that signs', () => {
  expect(signedPush({ name: 'cpu/steal', selector: 'role in (a,b)', stages: '1, 10%', bake: '30s', message: "it's new" })).toBe(
    "vedette push steal.go --name cpu/steal --to 'role in (a,b)' --canary 1,10% --bake 30s -m 'it'\\''s new' --sign-key signing.pem",
  );
  expect(quoted('$(rm -rf /)')).toBe("'$(rm -rf /)'");
});
