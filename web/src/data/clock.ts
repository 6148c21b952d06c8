// The times of a host's samples on this browser's clock.
//
// The master says how far each agent's clock is off, and the times in its messages show
// how its own clock differs from ours. If that does not explain the samples (an agent
// that never told its clock, or a clock that was set since), the samples themselves do:
// the smallest recent lag is taken as the offset.

/** If live samples are off by more ms than this, they are believed, and not the master. */
const tolerance = 3_000;
/** How many ms one smallest lag is remembered. */
const memory = 15_000;

export class HostClock {
  private told = 0; // ms to add to a sample's time, according to the master
  private least = Infinity; // the smallest lag of the current period
  private previous = Infinity; // the smallest lag of the previous period
  private stretchEnds = 0;

  /** The agent's clock minus the master's, and ours minus the master's. */
  tell(skew: number, browserLessMaster: number): void {
    this.told = browserLessMaster - skew;
  }

  /** Records that a sample of this time arrived now. */
  note(time: number, now: number): void {
    if (now > this.stretchEnds) {
      this.previous = this.least;
      this.least = Infinity;
      this.stretchEnds = now + memory;
    }
    this.least = Math.min(this.least, now - time);
  }

  /** Milliseconds to add to a sample's time. */
  get offset(): number {
    const lag = Math.min(this.least, this.previous);
    if (!Number.isFinite(lag) || Math.abs(lag - this.told) <= tolerance) return this.told;
    return Math.round(lag / 100) * 100; // constant, whatever the network does
  }
}
