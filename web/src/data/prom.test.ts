import { expect, test } from 'vitest';
import { foundOf, Prom, PromError } from './prom.ts';

const answering = (status: number, text: string, seen: [string, RequestInit?][] = []): Prom =>
  new Prom(async (path, init) => {
    seen.push([path, init]);
    return new Response(text, { status });
  });

test('a range is asked for in seconds, and its series come back', async () => {
  const seen: [string, RequestInit?][] = [];
  const body = { status: 'success', warnings: ['w'], data: { resultType: 'matrix', result: [{ metric: { a: 'b' }, values: [[1, '2']] }, { metric: {}, histograms: [] }] } };
  const answer = await answering(200, JSON.stringify(body), seen).range('x{a="é"}', 1500, 2500, 250);
  expect(answer).toEqual({ series: [{ metric: { a: 'b' }, points: [[1, '2']] }], warnings: ['w'] });
  expect(seen[0][0]).toBe('/api/v1/query_range');
  expect(Object.fromEntries(seen[0][1]!.body as URLSearchParams)).toEqual({ query: 'x{a="é"}', start: '1.5', end: '2.5', step: '0.25' });
});

test('vectors, scalars and texts are series of one point', () => {
  expect(foundOf({ resultType: 'vector', result: [{ metric: { a: 'b' }, value: [1, '2'] }] })).toEqual([{ metric: { a: 'b' }, points: [[1, '2']] }]);
  expect(foundOf({ resultType: 'scalar', result: [1, '2'] })).toEqual([{ metric: {}, points: [[1, '2']] }]);
  expect(foundOf(undefined)).toEqual([]);
});

test('a fault of a query has its place', async () => {
  const error = `invalid parameter "query": 2:19: parse error: unexpected right parenthesis ')'`;
  const why = await answering(400, JSON.stringify({ status: 'error', errorType: 'bad_data', error })).instant('x', 0).catch((e) => e);
  expect(why).toBeInstanceOf(PromError);
  expect([why.message, why.line, why.col]).toEqual(["unexpected right parenthesis ')'", 2, 19]);
  expect(new PromError('query timed out')).toMatchObject({ message: 'query timed out', line: 0 });
});

test('an answer that is not JSON says what came', async () => {
  await expect(answering(502, 'bad gateway\n').instant('x', 0)).rejects.toThrow('bad gateway (502)');
  await expect(answering(500, '').instant('x', 0)).rejects.toThrow('the master gave no reason (500)');
});
