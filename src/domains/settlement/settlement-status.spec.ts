import type { Hex } from '../../base/shared/hex.js';
import { attemptThatCounts, confirmationsOf, statusOf } from './settlement-status.js';
import type { TransactionStatus } from './settlement-transactions.js';

const attempt = (status: TransactionStatus, blockHash: Hex | null = null) => ({ status, blockHash });

describe('statusOf', () => {
  it.each([
    ['submitted', [attempt('submitted')]],
    ['submitted', [attempt('submitted'), attempt('submitted')]],
    ['mined', [attempt('lost'), attempt('mined', '0x01')]],
    ['mined', [attempt('mined', '0x01'), attempt('lost')]],
    ['failed', [attempt('lost', '0x01'), attempt('lost')]],
    ['lost', [attempt('lost'), attempt('lost')]],
  ] as const)('is %s', (status, attempts) => {
    expect(statusOf(attempts)).toBe(status);
  });
});

describe('attemptThatCounts', () => {
  it('is the one in a block, or the newest', () => {
    const [old, mined, newest] = [attempt('lost'), attempt('mined', '0x01'), attempt('lost')];
    expect(attemptThatCounts([old, mined, newest])).toBe(mined);
    expect(attemptThatCounts([old, newest])).toBe(newest);
  });
});

describe('confirmationsOf', () => {
  it.each([
    ['7', 7n, 1],
    ['7', 18n, 12],
    ['7', 6n, null],
    ['7', undefined, null],
    [null, 7n, null],
  ])('block %s with the head at %s has %s', (block, head, confirmations) => {
    expect(confirmationsOf(block, head)).toBe(confirmations);
  });
});
