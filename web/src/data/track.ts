// The samples of one series in memory: two columns sorted by time, in one block. New
// samples go to its end, and when it is full, it is moved to its front. It doubles
// while its oldest sample is still wanted and the budget shared by all tracks has room;
// otherwise the oldest samples are dropped.

/** The most points that all tracks of a store may hold together. */
export class Budget {
  used = 0;
  constructor(readonly most: number) {}
}

const first = 64; // points of a new track
export const longest = 16_384; // points of the largest track

export class Track {
  times: Float64Array;
  values: Float64Array;
  /** The ms within which samples may have been left out; 0 if all are here. */
  grain = 0;
  /** The ms between samples that are not a pause, even if some came faster for a while; 0 if none did. */
  own = 0;
  private from = 0;
  private to = 0;
  private median = -1; // of the last steps; -1 until it is needed again

  constructor(
    private readonly budget: Budget,
    /** The ms for which a sample is wanted. */
    private readonly horizon: number,
  ) {
    this.times = new Float64Array(first);
    this.values = new Float64Array(first);
    budget.used += first;
  }

  get length(): number {
    return this.to - this.from;
  }

  /** Index of the first sample in times and values. */
  get start(): number {
    return this.from;
  }

  /** Index after the last sample. */
  get end(): number {
    return this.to;
  }

  get lastTime(): number {
    return this.to > this.from ? this.times[this.to - 1] : -Infinity;
  }

  get lastValue(): number {
    return this.to > this.from ? this.values[this.to - 1] : NaN;
  }

  /** Adds a sample. It replaces a sample of the same time. */
  push(time: number, value: number): void {
    this.median = -1;
    if (this.to === this.times.length) this.makeRoom(time);
    if (this.to === this.from || time > this.times[this.to - 1]) {
      this.times[this.to] = time;
      this.values[this.to++] = value;
    } else {
      this.insert(time, value);
    }
  }

  /**
   * Adds past samples, sorted by time. Existing samples win: they are the same,
   * unless one was replaced since. If there is not room for all, the oldest are
   * dropped.
   */
  merge(times: ArrayLike<number>, values: ArrayLike<number>): void {
    const most = this.length + times.length;
    const allTimes = new Float64Array(most);
    const allValues = new Float64Array(most);
    let n = 0;
    for (let i = this.from, k = 0; i < this.to || k < times.length; n++) {
      const own = k >= times.length || (i < this.to && this.times[i] <= times[k]);
      allTimes[n] = own ? this.times[i] : times[k];
      allValues[n] = own ? this.values[i++] : values[k++];
      if (own) while (k < times.length && times[k] === allTimes[n]) k++;
    }
    if (n > 0) this.take(allTimes.subarray(0, n), allValues.subarray(0, n));
  }

  /** The index of the first sample at or after a time; end if there is none. */
  search(time: number): number {
    let lo = this.from;
    let hi = this.to;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if (this.times[mid] < time) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }

  /** The ms between samples: the median of the last few steps; 0 if there are fewer than two samples. */
  step(): number {
    if (this.median < 0) this.median = this.medianStep();
    return this.median > 0 ? Math.max(this.median, this.own) : 0;
  }

  private medianStep(): number {
    const n = Math.min(15, this.length - 1);
    if (n < 1) return 0;
    const steps: number[] = [];
    for (let i = this.to - n; i < this.to; i++) steps.push(this.times[i] - this.times[i - 1]);
    steps.sort((a, b) => a - b);
    return steps[n >> 1];
  }

  /** Returns the memory. The track is not used afterwards. */
  release(): void {
    this.budget.used -= this.times.length;
    this.times = this.values = new Float64Array(0);
    this.from = this.to = 0;
    this.median = -1;
  }

  /** A late sample, such as from the backlog of an agent that was cut off. */
  private insert(time: number, value: number): void {
    const i = this.search(time);
    if (this.times[i] !== time) {
      this.times.copyWithin(i + 1, i, this.to);
      this.values.copyWithin(i + 1, i, this.to);
      this.times[i] = time;
      this.to++;
    }
    this.values[i] = value;
  }

  /** Replaces everything by these columns, as far as there is room. */
  private take(times: Float64Array, values: Float64Array): void {
    this.median = -1;
    const oldest = times[times.length - 1] - this.horizon;
    let keep = 0;
    while (times[keep] < oldest) keep++;
    let size = this.times.length;
    const fits = (next: number): boolean =>
      next <= longest && this.budget.used + next - this.times.length <= this.budget.most;
    while (size < times.length - keep && fits(size * 2)) size *= 2;
    keep = Math.max(keep, times.length - size);
    if (size !== this.times.length) {
      this.budget.used += size - this.times.length;
      this.times = new Float64Array(size);
      this.values = new Float64Array(size);
    }
    this.times.set(times.subarray(keep));
    this.values.set(values.subarray(keep));
    this.from = 0;
    this.to = times.length - keep;
  }

  private makeRoom(now: number): void {
    const size = this.times.length;
    let keep = Math.max(this.from, this.search(now - this.horizon));
    const grow = this.to - keep > (size * 3) / 4;
    if (grow && size < longest && this.budget.used + size <= this.budget.most) {
      this.resize(size * 2, keep);
      return;
    }
    if (grow) keep = this.to - ((size * 7) >> 3);
    this.times.copyWithin(0, keep, this.to);
    this.values.copyWithin(0, keep, this.to);
    this.to -= keep;
    this.from = 0;
  }

  private resize(size: number, keep: number): void {
    const times = new Float64Array(size);
    const values = new Float64Array(size);
    times.set(this.times.subarray(keep, this.to));
    values.set(this.values.subarray(keep, this.to));
    this.budget.used += size - this.times.length;
    this.times = times;
    this.values = values;
    this.to -= keep;
    this.from = 0;
  }
}
