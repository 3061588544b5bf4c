/** Urgencies of RFC 9218, section 4.1: 0 is the most urgent. */
export const URGENCIES = 8;

/**
 * A queue with a lane per urgency, served by stride scheduling (Waldspurger and Weihl, 1995): while both have somebody
 * waiting, a lane gets twice the turns of the next less urgent one, and the more urgent is first. Nobody starves: the
 * first of lane u is served within 2^(u+1) + 8 turns, whoever else comes. Pure: no clock.
 */
export class FairQueue<T> {
  private readonly lanes: readonly Set<T>[] = Array.from({ length: URGENCIES }, () => new Set<T>());
  /** When the first of each lane is due, in virtual time, which is that of the turn served last. */
  private readonly due: number[] = Array.from({ length: URGENCIES }, () => 0);
  private now = 0;

  get size(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.size, 0);
  }

  sizeOf(urgency: number): number {
    return this.lanes[urgency]!.size;
  }

  /** @param urgency 0 to 7 */
  push(urgency: number, item: T): void {
    const lane = this.lanes[urgency]!;
    // A lane that was empty has saved nothing up: it begins from now.
    if (lane.size === 0) this.due[urgency] = this.now + strideOf(urgency);
    lane.add(item);
  }

  /** Whoever is next, or `undefined` if nobody waits. */
  shift(): T | undefined {
    const urgency = this.next();
    if (urgency === undefined) return undefined;
    this.now = this.due[urgency]!;
    this.due[urgency] = this.now + strideOf(urgency);
    const lane = this.lanes[urgency]!;
    for (const first of lane) {
      lane.delete(first);
      return first;
    }
  }

  /** `false` if it does not wait there. */
  remove(urgency: number, item: T): boolean {
    return this.lanes[urgency]!.delete(item);
  }

  private next(): number | undefined {
    let next: number | undefined;
    for (let urgency = 0; urgency < URGENCIES; urgency++) {
      if (this.lanes[urgency]!.size === 0) continue;
      if (next === undefined || this.due[urgency]! < this.due[next]!) next = urgency;
    }
    return next;
  }
}

function strideOf(urgency: number): number {
  return 2 ** urgency;
}
