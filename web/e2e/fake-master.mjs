// A master that makes its hosts up, for looking at states of the page that a
// real one shows rarely: hosts that are gone, clocks that are off, hundreds of
// hosts, names that try to be markup. It serves dist with the policy of the
// real one and speaks the same protocol.
//
//   node e2e/fake-master.mjs [port] [hosts]

import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

const web = fileURLToPath(new URL('..', import.meta.url));
const policy = readFileSync(join(web, 'embed.go'), 'utf8')
  .match(/const ContentSecurityPolicy = ([\s\S]*?)\n\n/)[1]
  .match(/"[^"]*"/g)
  .map((s) => JSON.parse(s))
  .join('');
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

const second = 1000;

/** One simulated host. `series` are [key, labels, kind, step in s, fn(t) → value]. */
export class FakeHost {
  constructor(name, options = {}) {
    this.name = name;
    this.skew = options.skew ?? 0; // ms
    this.tellSkew = options.tellSkew ?? true;
    this.gone = false;
    this.silent = options.silent ?? []; // keys that do not report
    this.since = Date.now();
    this.seed = options.seed ?? hash(name);
    this.series = options.series ?? usualSeries(this.seed);
    this.inspectors = options.inspectors ?? usualInspectors();
    this.extra = options.extra ?? {};
    this.samples = 0;
    this.last = Date.now();
  }

  info() {
    return {
      host: this.name,
      state: this.gone ? 'gone' : 'up',
      since_ms: this.since,
      last_seen_ms: this.last,
      skew_ms: this.tellSkew ? this.skew : 0,
      version: '0.1.0',
      os: 'linux',
      arch: 'amd64',
      series: this.series.length,
      samples: this.samples,
      agent: { reports_queued: 0, samples_dropped: 0 },
      inspectors: this.inspectors,
      ...this.extra,
    };
  }
}

export class FakeMaster {
  constructor({ hosts = [], token = '', statics = {} } = {}) {
    this.hosts = hosts;
    this.token = token;
    this.statics = statics;
    this.clients = new Set();
    this.connections = 0;
    this.started = Date.now();
  }

  async listen(port = 0) {
    this.http = createServer((req, res) => this.serve(req, res));
    this.wss = new WebSocketServer({ server: this.http, path: '/rpc', handleProtocols: () => 'vedette.v1.json' });
    this.wss.on('connection', (ws) => this.connect(ws));
    await new Promise((done) => this.http.listen(port, '127.0.0.1', done));
    this.port = this.http.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
    this.timer = setInterval(() => this.tick(), second);
    return this;
  }

  async close() {
    clearInterval(this.timer);
    for (const c of this.clients) c.ws.terminate();
    this.wss?.close();
    this.http?.closeAllConnections();
    await new Promise((done) => this.http.close(done));
  }

  /** Changes a host and tells everybody. */
  change(host, values) {
    Object.assign(host, values, { since: Date.now() });
    this.broadcastHost(host);
  }

  broadcastHost(host) {
    for (const c of this.clients) {
      for (const sub of c.subs.values()) {
        if (sub.pattern.test(`hosts/${host.name}`)) {
          c.notify('event', { subscription: sub.id, path: `hosts/${host.name}`, data: host.info() });
        }
      }
    }
  }

  serve(req, res) {
    const path = normalize(new URL(req.url, 'http://x').pathname);
    for (const [prefix, folder] of Object.entries(this.statics)) {
      if (path.startsWith(prefix + '/')) {
        const rest = path.slice(prefix.length);
        return send(res, join(folder, rest === '/' ? 'index.html' : rest), {});
      }
    }
    if (path === '/api/client') return send(res, join(web, 'dist/client/mesh-client.js'), {});
    let file = join(web, 'dist', path);
    if (path === '/' || (!existsSync(file) && !path.startsWith('/assets/'))) file = join(web, 'dist/index.html');
    return send(res, file, { 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' });
  }

  connect(ws) {
    this.connections++;
    const client = {
      ws,
      subs: new Map(),
      next: 1,
      allowed: this.token === '',
      notify: (method, params) => ws.send(JSON.stringify({ jsonrpc: '2.0', method, params })),
    };
    this.clients.add(client);
    ws.on('close', () => this.clients.delete(client));
    ws.on('error', () => {});
    ws.on('message', (data) => {
      const m = JSON.parse(data);
      if (m.id === undefined) return;
      try {
        ws.send(JSON.stringify({ jsonrpc: '2.0', id: m.id, result: this.call(client, m.method, m.params) }));
      } catch (e) {
        const error = { code: e.code ?? -32603, message: e.message };
        ws.send(JSON.stringify({ jsonrpc: '2.0', id: m.id, error }));
      }
      client.after?.();
      client.after = undefined;
    });
  }

  call(client, method, params) {
    if (method === 'master.login') {
      const token = params.token ?? params.password;
      if (this.token && token !== this.token) throw coded(-32001, 'login refused: unknown token or name');
      client.allowed = true;
      return { name: 'local', role: 'operator' };
    }
    if (!client.allowed) throw coded(-32001, 'not logged in');
    switch (method) {
      case 'master.info':
        return this.info();
      case 'hosts.list':
        return { hosts: this.hosts.map((h) => h.info()) };
      case 'hosts.get':
        return this.hosts.find((h) => h.name === params.host)?.info() ?? fail(-32004, 'no such host');
      case 'catalog.list':
        return { inspectors: [] };
      case 'master.subscribe':
        return this.subscribe(client, Array.isArray(params) ? { pattern: params[0] } : params);
      case 'master.unsubscribe':
        client.subs.delete(params.subscription);
        return {};
    }
    throw coded(-32601, `no method ${method}`);
  }

  info() {
    return {
      name: 'master',
      version: '0.1.0',
      protocol: 1,
      started_ms: this.started,
      now_ms: Date.now(),
      heartbeat_seconds: 15,
      hosts: this.hosts.length,
      series: this.hosts.reduce((n, h) => n + h.series.length, 0),
      role: 'operator',
    };
  }

  subscribe(client, params) {
    const escaped = params.pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
    const sub = {
      id: client.next++,
      pattern: new RegExp(`^${escaped}$`),
      columns: params.format === 'columns',
      numbers: new Map(),
    };
    client.subs.set(sub.id, sub);
    const now = Date.now();
    client.after = () => {
      const all = this.hosts.flatMap((host) => host.series.map((s) => [host, s, now - second]));
      this.sendSamples(client, sub, all);
    };
    return { subscription: sub.id };
  }

  tick() {
    const now = Date.now();
    const whole = Math.round(now / second);
    const all = [];
    for (const host of this.hosts) {
      if (host.gone) continue;
      host.last = now;
      for (const s of host.series) {
        if (whole % s[3] === 0 && !host.silent.includes(s[0])) {
          all.push([host, s, now]);
          host.samples++;
        }
      }
    }
    for (const c of this.clients) for (const sub of c.subs.values()) this.sendSamples(c, sub, all);
  }

  sendSamples(client, sub, all) {
    const out = { subscription: sub.id, series: [], t: [], s: [], v: [] };
    for (const [host, series, at] of all) {
      const [key, labels, kind, , value] = series;
      const path = `metrics/${host.name}/${key}`;
      if (!sub.pattern.test(path)) continue;
      const t = at + host.skew;
      const v = value(at / second);
      if (!sub.columns) {
        client.notify('event', { subscription: sub.id, path, data: { ts: t, key, val: v, labels } });
        continue;
      }
      const id = `${path}${JSON.stringify(labels)}`;
      if (!sub.numbers.has(id)) {
        sub.numbers.set(id, sub.numbers.size + 1);
        out.series.push({ id: sub.numbers.get(id), host: host.name, key, labels, kind });
      }
      out.t.push(t);
      out.s.push(sub.numbers.get(id));
      out.v.push(Number(v.toPrecision(kind === 'counter' ? 15 : 6)));
    }
    if (out.t.length > 0) client.notify('samples', out);
  }
}

function send(res, file, headers) {
  if (!existsSync(file) || !statSync(file).isFile()) {
    res.writeHead(404).end('not found');
    return;
  }
  res.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'text/plain', ...headers });
  createReadStream(file).pipe(res);
}

function coded(code, message) {
  return Object.assign(new Error(message), { code });
}

function fail(code, message) {
  throw coded(code, message);
}

function hash(text) {
  let h = 7;
  for (const c of text) h = (h * 31 + c.charCodeAt(0)) % 9973;
  return h;
}

/** Smooth noise around a level: sums of waves that do not repeat soon. */
function wave(seed, level, spread) {
  return (t) =>
    Math.max(
      0,
      level +
        spread *
          (0.5 * Math.sin(t / 17 + seed) +
            0.3 * Math.sin(t / 5.3 + seed * 2) +
            0.35 * Math.sin(t * 1.7 + seed * 3) * Math.sin(t / 3.1)),
    );
}

function counter(rate) {
  let total = 1e9;
  let last = 0;
  return (t) => {
    if (last && t > last) total += rate(t) * (t - last);
    last = Math.max(last, t);
    return total;
  };
}

export function usualSeries(n) {
  const GiB = 2 ** 30;
  const g = (key, fn, labels, step = 1) => [key, labels, 'gauge', step, fn];
  const c = (key, rate, labels, step = 1) => [key, labels, 'counter', step, counter(rate)];
  const used = wave(n, 22, 14);
  const boot = Date.now() / second - 86400 * (3 + (n % 40));
  const out = [
    g('load/average-1', wave(n, 0.8, 0.5)),
    g('load/average-5', wave(n / 3, 0.7, 0.12)),
    g('load/average-15', wave(n / 5, 0.65, 0.05)),
    g('load/runnable', (t) => Math.round(wave(n, 2, 2)(t))),
    g('cpu/used_percent', used),
    g('cpu/user_percent', (t) => used(t) * 0.62),
    g('cpu/system_percent', (t) => used(t) * 0.25),
    g('cpu/iowait_percent', (t) => used(t) * 0.08),
    g('cpu/steal_percent', (t) => used(t) * 0.03),
    ...['user', 'system', 'idle'].map((mode, i) => c('cpu/seconds_total', () => [1, 0.5, 2.5][i], { mode })),
    g('memory/used_percent', wave(n, 61, 3)),
    g('memory/percent-free', wave(n, 12, 3)),
    g('memory/total_bytes', () => 16 * GiB),
    g('memory/used_bytes', (t) => wave(n, 0.61, 0.03)(t) * 16 * GiB),
    g('memory/available_bytes', (t) => (1 - wave(n, 0.61, 0.03)(t)) * 16 * GiB),
    g('memory/cached_bytes', wave(n, 3.2 * GiB, 0.1 * GiB)),
    g('memory/buffers_bytes', wave(n, 0.4 * GiB, 0.01 * GiB)),
    g('swap/used_percent', wave(n, 3, 0.4)),
    g('swap/used_bytes', wave(n, 0.06 * GiB, 0.01 * GiB)),
    g('tcp/established', (t) => Math.round(wave(n, 44, 9)(t)), undefined, 5),
    g('tcp/time_wait', (t) => Math.round(wave(n, 12, 9)(t)), undefined, 5),
    g('tcp/listen', () => 14, undefined, 5),
    g('processes/running', (t) => Math.round(wave(n, 2, 2)(t)), undefined, 5),
    g('processes/sleeping', (t) => Math.round(wave(n, 164, 6)(t)), undefined, 5),
    g('uptime/seconds', (t) => t - boot, undefined, 10),
    g('temperature/celsius', wave(n, 47, 4), { sensor: 'coretemp_core_0' }, 10),
    g('temperature/celsius', wave(n + 1, 45, 4), { sensor: 'coretemp_core_1' }, 10),
  ];
  for (const mount of ['/', '/home', '/var/lib/postgresql']) {
    const part = (mount.length % 7) / 9 + 0.1;
    out.push(
      g('disk/used_percent', () => part * 100, { mount }, 5),
      g('disk/inodes_used_percent', () => part * 20, { mount }, 5),
      g('disk/used_bytes', () => part * 500 * GiB, { mount }, 5),
      g('disk/free_bytes', () => (1 - part) * 500 * GiB, { mount }, 5),
    );
  }
  for (const device of ['nvme0n1', 'sda']) {
    out.push(
      c('disk-io/read_bytes_total', wave(n, 3e5, 3e5), { device }),
      c('disk-io/write_bytes_total', wave(n + 2, 2e6, 2e6), { device }),
      c('disk-io/reads_total', wave(n, 12, 12), { device }),
      c('disk-io/writes_total', wave(n + 2, 60, 40), { device }),
      c('disk-io/io_seconds_total', wave(n, 0.03, 0.03), { device }),
    );
  }
  for (const device of ['eth0', 'lo']) {
    out.push(
      c('network/receive_bytes_total', wave(n, 1.4e6, 8e5), { interface: device }),
      c('network/transmit_bytes_total', wave(n + 3, 4e5, 3e5), { interface: device }),
      c('network/receive_errors_total', () => 0, { interface: device }),
    );
  }
  for (const { name } of usualInspectors()) {
    out.push(
      g('vedette/inspector_duration_seconds', wave(n + name.length, 3e-4, 2e-4), { inspector: name }),
      g('vedette/inspector_success', () => 1, { inspector: name }),
    );
  }
  return out;
}

export function usualInspectors() {
  const names = ['load', 'cpu', 'memory', 'swap', 'disk', 'disk-io', 'network', 'processes', 'tcp', 'uptime', 'temperature'];
  return names.map((name, i) => ({
    name,
    kind: 'script',
    revision: 'a1b2c3d4e5f6',
    interval_ms: i < 7 ? 1000 : 5000,
    state: 'ok',
    since_ms: Date.now() - 600_000,
    runs: 12_345 + i,
    failures: 0,
    timeouts: 0,
    missed: i === 4 ? 3 : 0,
    crashes: 0,
  }));
}

/** A small fleet with one of each trouble. */
export function demoHosts(count = 4) {
  const broken = usualInspectors();
  broken.push(
    { ...broken[0], name: 'gpu', kind: 'plugin', state: 'failing', failures: 41, error: 'nvidia-smi: exit status 9: couldn’t communicate with the NVIDIA driver' },
    { ...broken[0], name: 'queue/depth', state: 'quarantined', crashes: 5, error: 'crashed its process 5 times in 60 s: fatal error: stack overflow' },
  );
  const hosts = [
    new FakeHost('db-1.example.net', { extra: { labels: { role: 'db' } } }),
    new FakeHost('web-1'),
    new FakeHost('web-2', { inspectors: broken }),
    new FakeHost('web-10', { skew: -60_000 }),
  ];
  for (let i = hosts.length; i < count; i++) hosts.push(new FakeHost(`node-${i}`));
  return hosts.slice(0, count);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [port = '0', count = '4'] = process.argv.slice(2);
  const master = await new FakeMaster({ hosts: demoHosts(Number(count)) }).listen(Number(port));
  console.log(master.url);
}
