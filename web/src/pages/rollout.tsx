// One rollout.

import type { PageProps } from '../parts.ts';
import { Head } from '../ui/kit.tsx';
import { RolloutView } from '../ui/rollout.tsx';
import '../style/work.css';

export default function RolloutPage({ session, params }: PageProps) {
  return (
    <>
      <Head title={`Rollout ${params.id}`}>
        <a href="/rollouts">All rollouts</a>
      </Head>
      <div class="card">
        <RolloutView session={session} id={params.id} />
      </div>
    </>
  );
}
