import { DatabaseError } from 'pg';
import { NotNow } from './projection.js';

/**
 * SQLSTATE classes that say nothing about the event: connection, transaction rollback, insufficient resources, object
 * not in prerequisite state (locks), operator intervention, system error; and a transaction that was idle for too long.
 */
const PASSING = /^(08|40|53|55|57|58|25P0)/;

/** True if the same events may well be applied a little later: neither they nor the projection are at fault. */
export function isPassing(error: unknown): boolean {
  return error instanceof NotNow || (error instanceof DatabaseError && PASSING.test(error.code ?? ''));
}

/** How many positions to take at once: fewer after a failure, down to one, and soon more again. */
export class BatchSize {
  private size: number;

  constructor(private readonly most: number) {
    this.size = most;
  }

  get current(): number {
    return this.size;
  }

  /** @param taken positions in the batch that failed */
  failed(taken: number): void {
    this.size = Math.max(1, Math.floor(Math.min(taken, this.size) / 4));
  }

  succeeded(): void {
    this.size = Math.min(this.most, this.size * 4);
  }
}
