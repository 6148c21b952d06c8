// All hosts of this master: problems, changes, and the rate of samples. It looks every
// two seconds, and publishes only what is new.

import { computed, effect, signal, untracked, type ReadonlySignal, type Signal } from '@preact/signals';
import { below, hostPath } from '../lib/router.ts';
import { Ask } from './ask.ts';
import { changesOf, type Change } from './changes.ts';
import { alertProblems, loud } from './firing.ts';
import { byHost, problemsOf, worstFirst, type HostFacts, type Problem } from './problems.ts';
import type { Session } from './session.ts';
import type { HostModel, Store } from './store.ts';
import type { Alert } from './wire.gen.ts';
import type { AuditEntry, CatalogEntry, HostReceipt, Rollout } from './wire.ts';

const every = 2_000; // ms between two looks
const settle = 15_000; // ms after which silence counts as a problem
const mostAsked = 20; // the most inspectors whose receipts are requested
const auditEntries = 60;
const auditEvery = 30_000;

export class Fleet {
  /** The problems, worst first. */
  readonly problems: Signal<Problem[]> = signal([]);
  /** The problems, by host. */
  readonly wrong = computed(() => byHost(this.problems.value));
  readonly changes: Signal<Change[]> = signal([]);
  /** Samples a second, over the last looks. */
  readonly rate: Signal<number> = signal(0);
  /** The number of firing alerts that people are told about. */
  readonly firing = computed(() => loud(this.alerts.value).length);
  readonly alerts: ReadonlySignal<Alert[]>;
  readonly rollouts: ReadonlySignal<Rollout[]>;
  readonly catalog: ReadonlySignal<CatalogEntry[]>;
  private receipts: HostReceipt[] = [];
  private readonly dropped = new Map<string, { count: number; at: number }>();
  private liveSince = Infinity;
  private counted = { samples: 0, at: 0 };
  private readonly askCatalog: Ask<{ inspectors: CatalogEntry[] | null }>;
  private readonly askAlerts: Ask<{ alerts: Alert[] | null }>;
  private readonly askRollouts: Ask<{ rollouts: Rollout[] | null }>;
  private readonly askAudit: Ask<{ entries: AuditEntry[] | null }>;
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly session: Session,
    private readonly store: Store,
    private readonly now: () => number = Date.now,
  ) {
    const call = <T>(method: string, params: object): Promise<T> => session.rpc.call<T>(method, params);
    this.askCatalog = new Ask(() => call('catalog.list', {}));
    this.askRollouts = new Ask(() => call('rollouts.list', { limit: 50 }));
    this.askAudit = new Ask(() => call('audit.list', { limit: auditEntries }));
    this.askAlerts = new Ask(() => call('alerts.list', {}));
    this.alerts = computed(() => this.askAlerts.data.value?.alerts ?? []);
    this.catalog = computed(() => this.askCatalog.data.value?.inspectors ?? []);
    this.rollouts = computed(() => this.askRollouts.data.value?.rollouts ?? []);
  }

  /** Looks from now on. stop() ends that. */
  start(): void {
    const { rpc } = this.session;
    const follow = (pattern: string, ask: Ask<any>): void => {
      const sub = rpc.subscribe({ pattern }, { onStart: () => ask.soon(), onNotice: () => ask.soon() });
      this.stops.push(() => sub.close(), () => ask.stop());
    };
    follow('catalog/*', this.askCatalog);
    follow('rollouts/*', this.askRollouts);
    follow('alerts/*', this.askAlerts);
    const timer = setInterval(() => this.look(), every);
    const audit = setInterval(() => this.askForAudit(), auditEvery);
    this.stops.push(
      () => clearInterval(timer),
      () => clearInterval(audit),
      effect(() => {
        const live = this.session.link.value.kind === 'live' && this.session.info.value !== null;
        if (live && this.liveSince === Infinity) this.liveSince = this.now();
        if (!live) this.liveSince = Infinity;
        if (live) untracked(() => this.askForAudit());
      }),
      effect(() => {
        const names = this.catalog.value.filter((e) => e.summary.refused + e.summary.failed > 0).map((e) => e.name);
        void this.askForReceipts(names.slice(0, mostAsked));
      }),
      effect(() => {
        void this.store.hosts.value;
        void this.catalog.value;
        void this.rollouts.value;
        void this.alerts.value;
        void this.askAudit.data.value;
        untracked(() => this.look());
      }),
    );
  }

  stop(): void {
    this.stops.splice(0).forEach((stop) => stop());
    this.askAudit.stop();
  }

  private askForAudit(): void {
    if (this.session.may('operator') && this.liveSince !== Infinity) void this.askAudit.again();
  }

  private async askForReceipts(names: string[]): Promise<void> {
    const lists = names.map((name) =>
      this.session.rpc.call<{ receipts: HostReceipt[] | null }>('catalog.receipts', { name }).then(
        (r) => r.receipts ?? [],
        () => [],
      ),
    );
    this.receipts = (await Promise.all(lists)).flat();
    this.look();
  }

  private facts(host: HostModel): HostFacts[] {
    const info = host.info.peek();
    if (!info) return [];
    const count = info.agent?.samples_dropped ?? 0;
    const known = this.dropped.get(host.name);
    const at = known && count > known.count ? this.now() : (known?.at ?? 0);
    this.dropped.set(host.name, { count, at });
    return [{ info, offset: host.clock.offset, heardAt: host.heardAt, droppedAt: at }];
  }

  /** Looks at everything, and tells what is new. */
  look(): void {
    const now = this.now();
    const { samples } = this.store;
    if (now - this.counted.at >= every / 2) {
      if (this.counted.at > 0) this.rate.value = Math.round(((samples - this.counted.samples) / (now - this.counted.at)) * 1000);
      this.counted = { samples, at: now };
    }
    const hosts = this.store.hosts.peek();
    const info = this.session.info.peek();
    const { masterOffset } = this.store;
    const rollouts = this.rollouts.peek();
    const fires = alertProblems(this.alerts.peek(), masterOffset);
    tell(
      this.problems,
      problemsOf({
        hosts: hosts.flatMap((h) => this.facts(h)),
        catalog: this.catalog.peek(),
        receipts: this.receipts,
        rollouts,
        masterOffset,
        masterVersion: info?.version ?? '',
        listening: now - this.liveSince > settle,
        now,
      }).concat(fires).sort(worstFirst),
    );
    const past = {
      hosts: hosts.flatMap((h) => h.info.peek() ?? []),
      rollouts,
      audit: this.askAudit.data.peek()?.entries ?? [],
      masterOffset: 0,
      masterStarted: info?.started_ms ?? 0,
    };
    // Everything here uses the master's clock; the result is converted once, at the
    // end.
    const changes = changesOf(past, { host: hostPath, rollout: (id) => below('/rollouts', id) });
    if (tell(this.told, changes)) this.changes.value = changes.map((c) => ({ ...c, at: c.at + masterOffset }));
  }

  /**
   * The changes use the master's clock, because the conversion to ours varies by
   * milliseconds with each answer.
   */
  private readonly told: Signal<Change[]> = signal([]);
}

/** Sets a signal if its value has changed. */
function tell<T>(to: Signal<T>, value: T): boolean {
  if (JSON.stringify(value) === JSON.stringify(to.peek())) return false;
  to.value = value;
  return true;
}
