import { expect, test } from 'vitest';
import type { Proposal } from '../../data/wire.gen.ts';
import { shownPage } from '../fake-parts.ts';
import RolloutsPage from '../rollouts.tsx';
import { whatText } from './waiting.tsx';

const proposal = (more: Partial<Proposal> = {}): Proposal =>
  ({ id: '7kq2', action: 'push', subject: 'disk', author: '<i>ann</i>', at_ms: 1, ends_ms: 2, revision: 'abcdef0123', selector: 'role=db', plan: {}, hosts: 2, missing: 1, ...more }) as Proposal;

test('what waits is told, and a button approves it', async () => {
  const page = await shownPage(RolloutsPage, { answers: { 'rollouts.list': { rollouts: null }, 'proposals.list': { proposals: [proposal()] } } });
  expect(page.root.textContent).toContain('push of disk abcdef01, role=db (2 hosts), by <i>ann</i>');
  expect(page.root.querySelector('p i')).toBeNull();
  await page.press('Approve 7kq2');
  expect(page.calls).toContainEqual(['proposals.approve', { id: '7kq2' }]);
});

test('who cannot approve it is told why, and may refuse it', async () => {
  const page = await shownPage(RolloutsPage, { answers: { 'rollouts.list': { rollouts: null }, 'proposals.list': { proposals: [proposal({ why: 'the change is yours' })] } } });
  await expect(page.press('Approve 7kq2')).rejects.toThrow('no button');
  expect(page.root.textContent).toContain('the change is yours');
  await page.press('Refuse 7kq2');
  expect(page.calls).toContainEqual(['proposals.refuse', { id: '7kq2' }]);
});

test('viewers are not asked', async () => {
  const page = await shownPage(RolloutsPage, { answers: { 'rollouts.list': { rollouts: null } }, operator: false });
  expect(page.calls.map(([method]) => method)).toEqual(['rollouts.list']);
});

test('labels are told as the command line takes them', () => {
  expect(whatText(proposal({ action: 'labels', subject: 'web-1', labels: { env: '', zone: 'a' } }))).toBe('labels of web-1: env- zone=a');
});
