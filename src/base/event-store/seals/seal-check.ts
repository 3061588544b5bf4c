import type { DifferenceKind, Differences } from './differences.js';
import type { SealedRange } from './event-check.js';
import { HASH_BYTES } from './merkle.js';
import { MerkleFrontier } from './merkle-frontier.js';
import type { Restoration } from './restorations.js';
import { readSeal, type Seal, type SignatureCheck } from './seal.js';
import type { SealPair } from './seal-pairs.js';
import type { SealRecord } from './seal-table.js';

/** A range that nobody has signed is believed up to here. */
const UNSIGNED_MAX = 65_536n;

/** Checks each seal for itself, against those before it and against the witness, and says which events it covers. */
export class SealCheck {
  private seen = 0;
  private seenInWitness = 0;
  private expected = 1;
  private coveredTo = 0n;
  private previous: Seal | undefined;
  /** The tree of all seals; gone behind a seal that is gone. */
  private history: MerkleFrontier | undefined = new MerkleFrontier();
  private unwitnessed: number | undefined;

  constructor(
    private readonly signatures: SignatureCheck,
    private readonly restorations: readonly Restoration[],
    private readonly differences: Differences,
  ) {}

  /** Seals seen so far. */
  get count(): number {
    return this.seen;
  }

  /** Of these, in the witness. */
  get witnessed(): number {
    return this.seenInWitness;
  }

  /** The range to compare events with; `undefined` if its events are on record as lost, or nothing can be said. */
  check(pair: SealPair): SealedRange | undefined {
    this.seen++;
    if (pair.witnessed !== undefined) this.seenInWitness++;
    this.checkNumber(pair);
    const seal = this.trusted(pair);
    this.checkChain(seal);
    const range = this.rangeOf(pair, seal);
    if (range === undefined || this.isLost(pair)) return undefined;
    if (range.from <= this.coveredTo) {
      this.add('seal-forged', pair.number, range, 'covers positions that an earlier seal covers');
      return undefined;
    }
    this.coveredTo = range.to;
    return range;
  }

  private checkNumber({ behindTable, number, record, witnessed }: SealPair): void {
    const place = record ?? witnessed!;
    if (number > this.expected) {
      const missing = { from: this.coveredTo + 1n, to: place.from > this.coveredTo ? place.from - 1n : place.to };
      this.add(
        'seal-missing',
        this.expected,
        missing,
        `and all up to ${number - 1} are neither here nor in the witness`,
      );
      this.previous = undefined;
      this.history = undefined;
    }
    this.expected = number + 1;
    if (record === undefined && !behindTable) this.add('seal-missing', number, place, 'is in the witness only');
    // The witness may be behind the table, but not have a gap.
    if (witnessed === undefined) this.unwitnessed ??= number;
    else if (this.unwitnessed !== undefined) {
      this.add('witness-differs', this.unwitnessed, place, `is not in the witness, seal ${number} is`);
      this.unwitnessed = undefined;
    }
  }

  /** The seal as it was signed: the witness's, if it has one, else the one of the table. */
  private trusted({ number, record, witnessed }: SealPair): Seal | undefined {
    const ofWitness = witnessed !== undefined && this.signatures.isSigned(witnessed.jws) ? witnessed : undefined;
    if (witnessed !== undefined && ofWitness === undefined) {
      this.add('witness-differs', number, witnessed, 'is signed by no known key in the witness');
    }
    if (record === undefined) return ofWitness;
    const ofTable = this.signedRecord(record);
    if (ofTable === undefined) {
      this.add('seal-forged', number, ofWitness ?? record, 'is not signed by a known key');
    } else if (!isSame(record, ofTable)) {
      this.add('seal-forged', number, ofTable, 'has a row that says something else than what was signed');
    }
    if (ofTable !== undefined && ofWitness !== undefined && ofTable.jws !== ofWitness.jws) {
      this.add('witness-differs', number, ofWitness, 'was signed twice: the witness has another one');
    }
    return ofWitness ?? ofTable;
  }

  private signedRecord({ jws, number }: SealRecord): Seal | undefined {
    const seal = readSeal(jws);
    return seal?.payload.number === number && this.signatures.isSigned(jws) ? seal : undefined;
  }

  private checkChain(seal: Seal | undefined): void {
    if (seal !== undefined) {
      const { history, number, previous } = seal.payload;
      const root = number === 1 ? '' : this.history?.root().toString('base64url');
      const digest = number === 1 ? '' : this.previous?.digest;
      if (digest !== undefined && previous !== digest) {
        this.add('seal-forged', number, seal, 'does not follow the seal before it');
      } else if (root !== undefined && history !== root) {
        this.add('seal-forged', number, seal, 'does not follow all seals before it');
      }
      this.history?.add(seal.leaf);
    } else {
      this.history = undefined;
    }
    this.previous = seal;
  }

  private rangeOf({ behindTable, number, record }: SealPair, seal: Seal | undefined): SealedRange | undefined {
    const place = seal ?? record;
    if (place === undefined) return undefined;
    const { from, to } = place;
    const size = to - from + 1n;
    if (seal === undefined && (size < 1n || size > UNSIGNED_MAX)) return undefined;
    const fits = record?.leaves?.length === Number(size) * HASH_BYTES;
    const unrecorded = record === undefined && behindTable;
    return { number, from, to, root: seal?.root, leaves: fits ? record?.leaves : undefined, behindTable: unrecorded };
  }

  private isLost({ number, record }: SealPair): boolean {
    if (record === undefined || record.leaves !== undefined) return false;
    return this.restorations.some(({ seals }) => number >= seals.from && number <= seals.to);
  }

  private add(
    kind: DifferenceKind,
    number: number,
    { from, to }: { readonly from: bigint; readonly to: bigint },
    what: string,
  ): void {
    this.differences.add({ kind, from, to, seal: number, detail: `seal ${number} ${what}` });
  }
}

/** Whether the columns say what was signed. */
function isSame(record: SealRecord, { from, payload, root, to }: Seal): boolean {
  return (
    record.from === from &&
    record.to === to &&
    record.root.equals(root) &&
    Number(record.sealedAt) === Date.parse(payload.sealedAt)
  );
}
