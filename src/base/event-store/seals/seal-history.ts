import type { Pool, PoolClient } from 'pg';
import { MerkleFrontier } from './merkle-frontier.js';
import { readSeal, type Seal } from './seal.js';
import { readSeals } from './seal-table.js';

const PAGE = 5_000;

/** The tree of all seals, as far as it was read: what the next seal has to name. */
export class SealHistory {
  private seals = new MerkleFrontier();
  private newest: Seal | undefined;

  /** The newest seal. */
  get last(): Seal | undefined {
    return this.newest;
  }

  /** RFC 6962 root over all seals; `undefined` as long as there is none. */
  get root(): Buffer | undefined {
    return this.newest && this.seals.root();
  }

  /** @throws if the seal does not continue the chain */
  add(seal: Seal): void {
    const problem = this.problemOf(seal);
    if (problem !== undefined) throw new Error(`seal ${seal.payload.number} ${problem}`);
    this.seals.add(seal.leaf);
    this.newest = seal;
  }

  /** What keeps a seal from being the next one. */
  problemOf({ payload }: Seal): string | undefined {
    const expected = (this.newest?.payload.number ?? 0) + 1;
    if (payload.number !== expected) return `is not number ${expected}`;
    if (payload.previous !== (this.newest?.digest ?? '')) return 'does not name the seal before it';
    if (payload.history !== (this.root?.toString('base64url') ?? '')) return 'does not name the seals before it';
    return undefined;
  }

  /**
   * Reads the seals that were added since. If the newest one is not in the table any more, the database is another one, or
   * an older one, and all are read.
   *
   * @throws if they are no chain
   */
  async catchUp(db: Pool | PoolClient): Promise<void> {
    const known = this.newest;
    if (known !== undefined) {
      const [same] = await readSeals(db, known.payload.number, 1);
      if (same?.jws !== known.jws) {
        this.seals = new MerkleFrontier();
        this.newest = undefined;
      }
    }
    for (;;) {
      const page = await readSeals(db, (this.newest?.payload.number ?? 0) + 1, PAGE);
      for (const { jws, number } of page) {
        const seal = readSeal(jws);
        if (seal === undefined) throw new Error(`seal ${number} cannot be read`);
        this.add(seal);
      }
      if (page.length < PAGE) return;
    }
  }
}
