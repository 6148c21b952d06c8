// What time a host's samples were taken, on the clock of this browser.
//
// The master tells how far each agent's clock is off, and how its own clock
// differs from ours shows in what it sends. Where that does not explain the
// samples (an agent that never told its clock, a clock that was set since), the
// samples themselves do: the smallest lag seen lately is taken for the offset.

/** Milliseconds by which live samples may be off before they are believed over the master. */
const tolerance = 3_000;
/** Milliseconds that one smallest lag is remembered for. */
const memory = 15_000;

export class HostClock {
  private told = 0; // ms to add to a sample's time, by what the master says
  private least = Infinity; // of the current stretch of memory
  private previous = Infinity; // of the one before
  private stretchEnds = 0;

  /** The agent's clock less the master's, and ours less the master's. */
  tell(skew: number, browserLessMaster: number): void {
    this.told = browserLessMaster - skew;
  }

  /** Notes that a sample of this time arrived now. */
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
    return Math.round(lag / 100) * 100; // steady, whatever the network does
  }
}
