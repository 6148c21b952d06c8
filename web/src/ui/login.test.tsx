import { signal } from '@preact/signals';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, expect, test, vi } from 'vitest';
import type { Session } from '../data/session.ts';
import { linkOf, LoginForm, startOf } from './login.tsx';

afterEach(() => {
  vi.unstubAllGlobals();
  history.replaceState(null, '', '/');
});

/** A form on a master that answers as told, and what it was asked. */
async function form(answers: Record<string, { status: number; body: unknown }>) {
  const asked: [string, unknown][] = [];
  vi.stubGlobal('fetch', (path: string, init?: RequestInit) => {
    asked.push([`${init?.method ?? 'GET'} ${path}`, init?.body ? JSON.parse(init.body as string) : undefined]);
    const { status, body } = answers[`${init?.method ?? 'GET'} ${path}`]!;
    return Promise.resolve(new Response(typeof body === 'string' ? body : JSON.stringify(body), { status }));
  });
  const tokens: string[] = [];
  const session = { login: signal(''), logIn: (token: string) => tokens.push(token) } as unknown as Session;
  const root = document.createElement('div');
  const settle = () => act(async () => void (await new Promise((done) => setTimeout(done))));
  await act(() => render(<LoginForm session={session} />, root));
  await settle();
  const fill = (id: string, value: string) => (root.querySelector<HTMLInputElement>(`#${id}`)!.value = value);
  const submit = async () => {
    await act(() => void root.querySelector('form')!.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true })));
    await settle();
  };
  return { root, asked, tokens, fill, submit, settle };
}

test('where there are no users it asks for a token', async () => {
  const { root, tokens, fill, submit } = await form({ 'GET /api/login': { status: 200, body: { users: false } } });
  expect(root.querySelector('.other')).toBeNull();
  fill('token', ' abc ');
  await submit();
  expect(tokens).toEqual(['abc']);
});

test('a wrong password is told, and the right one connects with the cookie', async () => {
  const answers = { 'GET /api/login': { status: 200, body: { users: true } }, 'POST /api/login': { status: 401, body: 'refused: not right' } as { status: number; body: unknown } };
  const { root, asked, tokens, fill, submit } = await form(answers);
  fill('name', ' alice ');
  fill('password', ' with blanks ');
  await submit();
  expect(root.querySelector('.said')!.textContent).toBe('refused: not right');
  expect(root.querySelector<HTMLInputElement>('#password')!.value).toBe('');
  expect(tokens).toEqual([]);
  answers['POST /api/login'] = { status: 200, body: { name: 'alice' } };
  fill('password', ' with blanks ');
  await submit();
  expect(asked.at(-1)).toEqual(['POST /api/login', { name: 'alice', password: ' with blanks ' }]);
  expect(tokens).toEqual(['']);
});

test('a token can be used all the same', async () => {
  const { root, settle } = await form({ 'GET /api/login': { status: 200, body: { users: true } } });
  await act(() => root.querySelector<HTMLButtonElement>('.other')!.click());
  await settle();
  expect(root.querySelector('#token')).not.toBeNull();
});

test('a provider is offered beside a password and a token, and brings back to the page', async () => {
  history.replaceState(null, '', '/hosts/web-1?tab=a&b=c%20d');
  const provider = { name: 'Example', url: 'https://m/api/oidc/login' };
  for (const users of [true, false]) {
    const { root } = await form({ 'GET /api/login': { status: 200, body: { users, provider } } });
    const link = root.querySelector<HTMLAnchorElement>('form a.outside')!;
    expect(link.textContent).toBe('Log in with Example');
    expect(new URL(link.href).searchParams.get('next')).toBe('/hosts/web-1?tab=a&b=c%20d');
    expect(root.querySelector(users ? '#password' : '#token')).not.toBeNull();
  }
  expect(startOf('u', { pathname: '/', search: '' })).toBe('u?next=%2F');
});

test('a link asks for the name of the first admin, and is told when it is used up', async () => {
  history.replaceState(null, '', '/#link=vedette_link_x');
  const first = await form({ 'GET /api/login': { status: 200, body: { users: false } }, 'POST /api/password': { status: 200, body: { name: '' } } });
  expect(first.root.querySelector('h1')!.textContent).toBe('Become the first admin');
  expect(first.root.querySelector<HTMLInputElement>('#name')!.readOnly).toBe(false);
  first.fill('password', 'one password');
  first.fill('again', 'another password');
  await first.submit();
  expect(first.root.querySelector('.said')!.textContent).toBe('The two passwords differ.');
  expect(first.asked.filter(([what]) => what === 'POST /api/password').length).toBe(1);
  const used = await form({ 'GET /api/login': { status: 200, body: { users: true } }, 'POST /api/password': { status: 401, body: 'refused: used up' } });
  expect(used.root.querySelector('.said')!.textContent).toBe('refused: used up');
  expect(used.root.querySelector('form')).toBeNull();
});

test('only a fragment of its form is a link', () => {
  expect(['#link=abc', '#link=', '#link=a b', '#key=abc', '', '#link=<b>'].map(linkOf)).toEqual(['abc', '', '', '', '', '']);
});
