// The pages, one entry each. The code of a page is loaded when somebody first opens it.
//
// The master must know the paths too, so that it answers an address that is opened by
// hand with the application: add a path to pagePaths in web/embed.go as well. A test
// there compares the two lists.

import type { ComponentType } from 'preact';
import type { Needs } from './data/session.ts';
import type { IconName } from './ui/icons.tsx';
import type { PageProps } from './parts.ts';

export interface Page {
  id: string;
  /** Variables: `:name` is one segment, `*name` one or more at the end. */
  path: string;
  /** The title of the browser's tab. */
  title: (params: Record<string, string>) => string;
  /** Who may see the page. */
  role: Needs;
  /** Its place in the rail, in the order of this table. */
  rail?: { label: string; icon: IconName; /** After `g`. */ key: string };
  /** The page that is highlighted in the rail while this one is shown. */
  under?: string;
  load: () => Promise<{ default: ComponentType<PageProps> }>;
}

export const pages: readonly Page[] = [
  {
    id: 'now',
    path: '/',
    title: () => 'Now',
    role: 'viewer',
    rail: { label: 'Now', icon: 'now', key: 'n' },
    load: () => import('./pages/now.tsx'),
  },
  {
    id: 'alerts',
    path: '/alerts',
    title: () => 'Alerts',
    role: 'viewer',
    rail: { label: 'Alerts', icon: 'alerts', key: 'a' },
    load: () => import('./pages/alerts.tsx'),
  },
  {
    id: 'hosts',
    path: '/hosts',
    title: () => 'Hosts',
    role: 'viewer',
    rail: { label: 'Hosts', icon: 'hosts', key: 'h' },
    load: () => import('./pages/hosts.tsx'),
  },
  {
    id: 'host',
    path: '/hosts/:host',
    title: ({ host }) => host,
    role: 'viewer',
    under: 'hosts',
    load: () => import('./pages/host.tsx'),
  },
  {
    id: 'members',
    path: '/members',
    title: () => 'Members',
    role: 'viewer',
    under: 'hosts',
    load: () => import('./pages/members.tsx'),
  },
  {
    id: 'compare',
    path: '/compare',
    title: () => 'Compare hosts',
    role: 'viewer',
    under: 'hosts',
    load: () => import('./pages/compare.tsx'),
  },
  {
    id: 'explore',
    path: '/explore',
    title: () => 'Explore',
    role: 'viewer',
    rail: { label: 'Explore', icon: 'explore', key: 'e' },
    load: () => import('./pages/explore.tsx'),
  },
  {
    id: 'ask',
    path: '/explore/ask',
    title: () => 'Ask hosts',
    role: 'operator',
    under: 'explore',
    load: () => import('./pages/ask.tsx'),
  },
  {
    id: 'inspectors',
    path: '/inspectors',
    title: () => 'Inspectors',
    role: 'viewer',
    rail: { label: 'Inspectors', icon: 'inspectors', key: 'i' },
    load: () => import('./pages/inspectors.tsx'),
  },
  {
    id: 'inspector',
    path: '/inspectors/*name',
    title: ({ name }) => name,
    role: 'viewer',
    under: 'inspectors',
    load: () => import('./pages/inspector.tsx'),
  },
  {
    id: 'write',
    path: '/editor',
    title: () => 'Write an inspector',
    role: 'operator',
    under: 'inspectors',
    load: () => import('./pages/editor.tsx'),
  },
  {
    id: 'edit',
    path: '/editor/*name',
    title: ({ name }) => `Edit ${name}`,
    role: 'operator',
    under: 'inspectors',
    load: () => import('./pages/editor.tsx'),
  },
  {
    id: 'rollouts',
    path: '/rollouts',
    title: () => 'Rollouts',
    role: 'viewer',
    rail: { label: 'Rollouts', icon: 'rollouts', key: 'r' },
    load: () => import('./pages/rollouts.tsx'),
  },
  {
    id: 'rollout',
    path: '/rollouts/:id',
    title: ({ id }) => `Rollout ${id}`,
    role: 'viewer',
    under: 'rollouts',
    load: () => import('./pages/rollout.tsx'),
  },
  {
    id: 'boards',
    path: '/boards',
    title: () => 'Boards',
    role: 'viewer',
    rail: { label: 'Boards', icon: 'boards', key: 'b' },
    load: () => import('./pages/boards.tsx'),
  },
  {
    id: 'board',
    path: '/boards/:name',
    title: ({ name }) => name,
    role: 'viewer',
    under: 'boards',
    load: () => import('./pages/board.tsx'),
  },
  {
    id: 'audit',
    path: '/audit',
    title: () => 'Audit',
    role: 'operator',
    rail: { label: 'Audit', icon: 'audit', key: 'u' },
    load: () => import('./pages/audit.tsx'),
  },
];
