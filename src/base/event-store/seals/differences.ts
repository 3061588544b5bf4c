/** What verification can find; see the README for each. */
export type DifferenceKind =
  | 'event-edited'
  | 'event-removed'
  | 'event-inserted'
  | 'event-moved'
  | 'events-differ'
  | 'log-cut-off'
  | 'events-lost'
  | 'seal-forged'
  | 'seal-missing'
  | 'leaves-differ'
  | 'witness-differs';

export interface SealDifference {
  readonly kind: DifferenceKind;
  /** Positions concerned, both included. */
  readonly from: bigint;
  readonly to: bigint;
  /** Number of the seal concerned. */
  readonly seal?: number;
  /** For people. */
  readonly detail: string;
}

/** More are counted only. */
const KEPT = 1_000;

/** Collects differences; neighbours of one kind become one. */
export class Differences {
  private readonly kept: SealDifference[] = [];
  private found = 0;

  get count(): number {
    return this.found;
  }

  /** By position, the first thousand found. */
  get list(): readonly SealDifference[] {
    return this.kept.toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  }

  add(difference: SealDifference): void {
    const last = this.kept.at(-1);
    if (last !== undefined && isContinued(last, difference)) {
      this.kept[this.kept.length - 1] = { ...last, to: difference.to };
      return;
    }
    this.found++;
    if (this.kept.length < KEPT) this.kept.push(difference);
  }
}

/** Runs of positions of which nothing else can be said than that they are gone. */
function isContinued(last: SealDifference, next: SealDifference): boolean {
  return (
    (next.kind === 'event-removed' || next.kind === 'events-lost') &&
    last.kind === next.kind &&
    last.detail === next.detail &&
    last.to + 1n === next.from
  );
}
