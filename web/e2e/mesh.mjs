// A real master with real agents that take pushed code, on this machine.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './harness.mjs';

/** Starts a master and an agent for each name. `agents` may give more lines of its configuration. */
export async function startMesh(vedette, hosts, { agents = () => '', master = [] } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'vedette-mesh-'));
  const server = new Child(vedette, ['master', '--listen', '127.0.0.1:0', '--data', join(dir, 'master'), ...master]);
  const url = await server.url();
  const running = hosts.map((host, i) => {
    const config = join(dir, `${host}.yaml`);
    writeFileSync(config, `agent:\n  accept_pushed_inspectors: true\n  labels: { role: db, zone: ${'ab'[i % 2]} }\n${agents(host)}`);
    return new Child(vedette, ['agent', '--master', url, '--host', host, '--config', config, '--data', join(dir, host)]);
  });
  return {
    url,
    async stop() {
      await Promise.all(running.map((a) => a.stop()));
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
