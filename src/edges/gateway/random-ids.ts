import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
const POOL_IDS = 1024;

/** Ids of 128 random bits, drawn from the system many at a time: one draw costs as much as a whole quote otherwise. */
export class RandomIds {
  private readonly pool = Buffer.alloc(ID_BYTES * POOL_IDS);
  private at = this.pool.length;

  /** Valid until the next call. */
  next(): Buffer {
    if (this.at === this.pool.length) {
      randomFillSync(this.pool);
      this.at = 0;
    }
    this.at += ID_BYTES;
    return this.pool.subarray(this.at - ID_BYTES, this.at);
  }
}
