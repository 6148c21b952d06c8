// Shows the page of the route: loads its code, shows waiting and failure, and has its
// heading read out.

import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Page } from '../pages.ts';
import type { PageProps, Parts } from '../parts.ts';
import { Empty } from './kit.tsx';

type Loaded = { id: string; component: ComponentType<PageProps> };

export function Shown({ pages, ...parts }: Parts & { pages: readonly Page[] }) {
  const { page: id, params } = parts.router.route.value;
  const page = pages.find((p) => p.id === id);
  const loaded = useSignal<Loaded | null>(null);
  const failed = useSignal(false);
  const again = useSignal(0);
  useEffect(() => {
    if (!page) return undefined;
    let wanted = true;
    failed.value = false;
    page.load().then(
      (m) => wanted && (loaded.value = { id: page.id, component: m.default }),
      () => wanted && (failed.value = true),
    );
    return () => void (wanted = false);
  }, [page, again.value]);
  const place = JSON.stringify([id, params]);
  const ready = loaded.value?.id === id || !page;
  useEffect(() => {
    if (!ready || !parts.router.moved) return;
    // The heading tells users who cannot see it that the page has changed.
    parts.router.moved = false;
    document.querySelector<HTMLElement>('main h1')?.focus();
  }, [ready, place]);

  if (!page) {
    return (
      <Empty title="There is no such page" first>
        <a href="/">What is wrong now</a>, <a href="/hosts">all hosts</a>
      </Empty>
    );
  }
  if (!parts.session.may(page.role)) {
    return (
      <Empty title="This page is for operators" first>
        You are logged in as {parts.session.info.value?.role ?? 'nobody'}. An operator's token opens it.
      </Empty>
    );
  }
  if (failed.value) {
    return (
      <Empty title="The page could not be loaded" first>
        The master did not answer, or it has been updated.{' '}
        <button type="button" class="button" onClick={() => again.value++}>
          Try again
        </button>{' '}
        <button type="button" class="button" onClick={() => location.reload()}>
          Load everything again
        </button>
      </Empty>
    );
  }
  if (loaded.value?.id !== id) return null;
  const Component = loaded.value.component;
  return <Component key={place} params={params} {...parts} />;
}
