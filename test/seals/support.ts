import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { Sealer, type SealerParts } from '../../src/base/event-store/seals/sealer.js';
import { verifySeals } from '../../src/base/event-store/seals/verify-seals.js';
import { Witness, witnessPathOf } from '../../src/base/event-store/seals/witness.js';
import { createLogger } from '../../src/base/platform/logger.js';
import { openPool } from '../../src/base/platform/pool.js';
import { ReceiptSigner } from '../../src/domains/receipts/receipt-signer.js';
import { freshDatabase } from '../support/engines.js';
import { paymentEvents } from '../support/payment-events.js';

export const RECEIPT_KEY = `0x${'5e'.repeat(32)}` as const;
export const signer = new ReceiptSigner('http://localhost:4020', [RECEIPT_KEY]);
const START = Date.UTC(2026, 10, 23, 12);

/** A database of one's own with a log that can be sealed, and a witness beside it. */
export interface SealedLog {
  readonly databaseUrl: string;
  readonly pool: Pool;
  readonly parts: SealerParts;
  readonly witness: Witness;
  /** Appends the events of the payments `from` up to, not including, `to`. */
  pay(from: number, to: number): Promise<void>;
  /** Seals everything, with a sealer that knows nothing yet. */
  seal(): Promise<void>;
  verify(): ReturnType<typeof verifySeals>;
  close(): Promise<void>;
}

export async function openLog(databaseUrl?: string, folder = mkdtempSync(join(tmpdir(), 'tollbook-seals-'))) {
  const url = databaseUrl ?? (await freshDatabase());
  const pool = openPool(url, 'test', 8, console);
  let now = START;
  const clock = () => {
    now += 7;
    return now;
  };
  const store = new EventStore(pool, clock);
  const witness = new Witness(witnessPathOf(folder));
  const parts: SealerParts = { pool, store, signer, witness, clock, log: createLogger('silent', 'test') };
  const log: SealedLog = {
    databaseUrl: url,
    pool,
    parts,
    witness,
    async pay(from, to) {
      for (let n = from; n < to; n++) {
        const { events, stream } = paymentEvents(n);
        await store.append({ stream, tenant: 'demo', expectedVersion: 0, decide: () => ({ events }) });
      }
    },
    async seal() {
      const sealer = new Sealer(parts);
      while (await sealer.step());
    },
    verify: () => verifySeals(pool, signer.jwks(), witness.path),
    async close() {
      await pool.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return log;
}

/** Numbers that look random, the same ones for the same seed: mulberry32. */
export class Dice {
  constructor(private state: number) {}

  /** 0..limit − 1. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /** low..high. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  one<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** So many different ones of low..high, in random order. */
  several(count: number, low: number, high: number): number[] {
    const found = new Set<number>();
    while (found.size < count) found.add(this.between(low, high));
    return [...found];
  }
}
