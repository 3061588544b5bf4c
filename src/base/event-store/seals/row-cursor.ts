import type { PoolClient } from 'pg';
import type { SealRow } from './leaf.js';
import { pagesOfSealRows } from './seal-rows.js';

const PAGE = 4_096;
const BEFORE_ALL = -(2n ** 63n);

/** Goes through the whole log once, by position. */
export class RowCursor {
  private readonly pages: AsyncGenerator<readonly SealRow[]>;
  private page: readonly SealRow[] = [];
  private next = 0;
  private taken = 0;

  constructor(client: PoolClient) {
    this.pages = pagesOfSealRows(client, BEFORE_ALL, PAGE);
  }

  /** Rows handed out so far. */
  get count(): number {
    return this.taken;
  }

  /** The next rows whose position is at most `position`; at most a page of them, and none only if there are no more. */
  async take(position: bigint): Promise<readonly SealRow[]> {
    if (this.next === this.page.length) {
      const { done, value } = await this.pages.next();
      if (done) return [];
      this.page = value;
      this.next = 0;
    }
    const start = this.next;
    if (isAtMost(this.page[this.page.length - 1]!, position)) this.next = this.page.length;
    else while (isAtMost(this.page[this.next]!, position)) this.next++;
    this.taken += this.next - start;
    return this.page.slice(start, this.next);
  }
}

function isAtMost(row: SealRow, position: bigint): boolean {
  return BigInt(row[0]) <= position;
}
