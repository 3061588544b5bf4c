import type { Differences } from './differences.js';
import { leafOf, type SealRow } from './leaf.js';
import { HASH_BYTES, leafAt, merkleRoot } from './merkle.js';
import type { RowCursor } from './row-cursor.js';
import { Strays } from './strays.js';

/** What seals say about a range of positions. */
export interface SealedRange {
  readonly number: number;
  readonly from: bigint;
  readonly to: bigint;
  /** Missing if the seal cannot be trusted. */
  readonly root: Buffer | undefined;
  /** As stored beside the seal, one for each position; they count if they lead to the root. */
  readonly leaves: Buffer | undefined;
  /** The table ends before it, only the witness has it: the database may have come back from a backup. */
  readonly behindTable: boolean;
}

const REMOVED = 'sealed, and not there any more';
const END = 2n ** 63n - 1n;
const NEVER_SEALED = 'a position without an event; it was removed before it was sealed';

/** Compares the events with the seals, range by range, and names the rows that differ. */
export class EventCheck {
  private readonly strays: Strays;
  /** The position behind the last one looked at. */
  private next = 1n;
  private lastRow = 0n;
  /** The last position that should have an event, not counting lost ones. */
  private sealedTo = 0n;

  constructor(
    private readonly rows: RowCursor,
    private readonly differences: Differences,
    /** Told how many rows were read. */
    private readonly onRead: (rows: number) => void,
  ) {
    this.strays = new Strays(differences);
  }

  /** Ranges come in order of position. */
  async check(range: SealedRange): Promise<void> {
    await this.skipTo(range.from);
    const found: (SealRow | undefined)[] = Array.from({ length: Number(range.to - range.from) + 1 });
    for (let rows = await this.take(range.to); rows.length > 0; rows = await this.take(range.to)) {
      for (const row of rows) {
        const index = Number(BigInt(row[0]) - range.from);
        if (found[index] === undefined) found[index] = row;
        else this.strays.add(row, undefined);
      }
    }
    this.compare(range, found);
    this.next = range.to + 1n;
  }

  /** Everything behind the last seal. Returns how many events are not sealed yet. */
  async finish(): Promise<number> {
    let unsealed = 0;
    for (let rows = await this.take(END); rows.length > 0; rows = await this.take(END)) {
      for (const row of rows) {
        const position = BigInt(row[0]);
        if (position > this.next) {
          this.removed(this.next, position - 1n, 'a position without an event');
          this.strays.add(row, undefined);
        }
        this.next = position + 1n;
        unsealed++;
      }
    }
    this.strays.resolve();
    if (this.lastRow < this.sealedTo) {
      const detail = `the log ends before its last sealed event, ${this.sealedTo}`;
      this.differences.add({ kind: 'log-cut-off', from: this.lastRow + 1n, to: this.sealedTo, detail });
    }
    return unsealed;
  }

  private async take(to: bigint): Promise<readonly SealRow[]> {
    const rows = await this.rows.take(to);
    const last = rows.at(-1);
    if (last !== undefined) this.lastRow = BigInt(last[0]);
    this.onRead(this.rows.count);
    return rows;
  }

  /** Between two seals there should be nothing, neither positions nor events. */
  private async skipTo(from: bigint): Promise<void> {
    for (let rows = await this.take(from - 1n); rows.length > 0; rows = await this.take(from - 1n)) {
      for (const row of rows) this.strays.add(row, undefined);
    }
    if (this.next < from) this.removed(this.next, from - 1n, NEVER_SEALED);
  }

  private compare(range: SealedRange, found: readonly (SealRow | undefined)[]): void {
    const leaves = found.map((row) => row && leafOf(row));
    const trusted =
      range.leaves !== undefined && range.root !== undefined && merkleRoot(range.leaves).equals(range.root);
    if (trusted) this.compareEach(range, range.leaves!, found, leaves);
    else this.compareAll(range, found, leaves);
  }

  private compareEach(
    { from, number: seal, to }: SealedRange,
    sealed: Buffer,
    found: readonly (SealRow | undefined)[],
    leaves: readonly (Buffer | undefined)[],
  ): void {
    this.sealedTo = to;
    for (const [index, leaf] of leaves.entries()) {
      const start = index * HASH_BYTES;
      if (leaf !== undefined && sealed.compare(leaf, 0, HASH_BYTES, start, start + HASH_BYTES) === 0) continue;
      const position = from + BigInt(index);
      this.strays.vacant(position, leafAt(sealed, index), seal);
      if (leaf === undefined) this.removed(position, position, REMOVED, seal);
      else this.strays.add(found[index]!, seal);
    }
  }

  /** Without leaf hashes to trust there is only the root: it tells that something differs, not which row. */
  private compareAll(
    { from, leaves: stored, number: seal, behindTable, root, to }: SealedRange,
    found: readonly (SealRow | undefined)[],
    leaves: readonly (Buffer | undefined)[],
  ): void {
    const complete = leaves.every((leaf) => leaf !== undefined);
    const same = complete && root !== undefined && merkleRoot(Buffer.concat(leaves)).equals(root);
    if (behindTable) {
      this.compareBehindTable({ from, to }, seal, same);
      return;
    }
    this.sealedTo = to;
    const leafDetail = stored === undefined ? 'has no leaf hashes' : 'has leaf hashes that do not lead to its root';
    if (root !== undefined) {
      this.differences.add({ kind: 'leaves-differ', from, to, seal, detail: `seal ${seal} ${leafDetail}` });
    }
    for (const [index, row] of found.entries()) {
      if (row === undefined) this.removed(from + BigInt(index), from + BigInt(index), REMOVED, seal);
    }
    if (complete && !same) {
      this.differences.add({ kind: 'events-differ', from, to, seal, detail: 'some of these are not what was sealed' });
    }
  }

  private compareBehindTable(place: { readonly from: bigint; readonly to: bigint }, seal: number, same: boolean): void {
    if (same) {
      this.differences.add({ ...place, kind: 'seal-missing', seal, detail: `seal ${seal} is in the witness only` });
    } else {
      const detail = 'sealed, as the witness says; the log has not these events: was it restored from a backup?';
      this.differences.add({ ...place, kind: 'events-lost', detail });
    }
  }

  private removed(from: bigint, to: bigint, detail: string, seal?: number): void {
    this.differences.add({ kind: 'event-removed', from, to, seal, detail });
  }
}
