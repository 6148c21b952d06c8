// PromQL queries over the master's HTTP API, with this page's credential.

/** Labels of a series, `__name__` among them. */
export type Metric = Record<string, string>;

/** A series of an answer: points of time (seconds) and value (text, as Prometheus writes it). */
export interface Found {
  metric: Metric;
  points: [number, string][];
}

/** An answer: the series, and the master's warnings. */
export interface Answer {
  series: Found[];
  warnings: string[];
}

/** Why a query failed, and where the error is: line and column from 1; 0 for nowhere. */
export class PromError extends Error {
  readonly line: number;
  readonly col: number;

  constructor(text: string) {
    const place = /(?:^|: )(\d+):(\d+): (?:parse error: )?([\s\S]*)$/.exec(text);
    super(place ? place[3] : text);
    this.line = place ? Number(place[1]) : 0;
    this.col = place ? Number(place[2]) : 0;
  }
}

interface Body {
  status: string;
  error?: string;
  warnings?: string[];
  infos?: string[];
  data?: { resultType: string; result: unknown };
}

export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

export class Prom {
  constructor(private readonly fetch: Fetch) {}

  /** The values from one moment to another, every step (all ms). */
  range(query: string, from: number, to: number, step: number, signal?: AbortSignal): Promise<Answer> {
    return this.ask('query_range', { query, start: seconds(from), end: seconds(to), step: seconds(step) }, signal);
  }

  /** The values at a moment (ms). */
  instant(query: string, at: number, signal?: AbortSignal): Promise<Answer> {
    return this.ask('query', { query, time: seconds(at) }, signal);
  }

  /** The values of a label, of series that a selector selects, or of all. */
  async values(label: string, selector = ''): Promise<string[]> {
    const query = selector ? `?${new URLSearchParams({ 'match[]': selector })}` : '';
    const body = await this.call<string[]>(`label/${encodeURIComponent(label)}/values${query}`);
    return body.data ?? [];
  }

  private async ask(method: string, params: Record<string, string>, signal?: AbortSignal): Promise<Answer> {
    const body = await this.call<Body['data']>(method, { method: 'POST', body: new URLSearchParams(params), signal });
    return { series: foundOf(body.data), warnings: [...(body.warnings ?? []), ...(body.infos ?? [])] };
  }

  private async call<T>(path: string, init: RequestInit = {}): Promise<Omit<Body, 'data'> & { data?: T }> {
    const response = await this.fetch(`/api/v1/${path}`, init);
    const text = await response.text();
    let body: Body;
    try {
      body = JSON.parse(text) as Body;
    } catch {
      throw new PromError(`${text.trim() || 'the master gave no reason'} (${response.status})`);
    }
    if (body.status !== 'success') throw new PromError(body.error ?? `the master answered ${response.status}`);
    return body as Omit<Body, 'data'> & { data?: T };
  }
}

function seconds(ms: number): string {
  return String(ms / 1000);
}

interface RawSeries {
  metric: Metric;
  value?: [number, string];
  values?: [number, string][];
}

/** The series of an answer of any type. Native histograms have no single value and are left out. */
export function foundOf(data: Body['data']): Found[] {
  if (!data) return [];
  switch (data.resultType) {
    case 'vector':
    case 'matrix':
      return (data.result as RawSeries[]).flatMap(({ metric, value, values }) => {
        const points = values ?? (value ? [value] : []);
        return points.length > 0 ? [{ metric, points }] : [];
      });
    case 'scalar':
    case 'string':
      return [{ metric: {}, points: [data.result as [number, string]] }];
    default:
      return [];
  }
}
