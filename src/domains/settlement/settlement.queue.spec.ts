import { eventually } from '../../../test/support/eventually.js';
import { freePort } from '../../../test/support/ports.js';
import { redisLink } from '../../base/platform/redis-link.js';
import { isAgain, retryDelay } from './settlement.queue.js';

describe('retryDelay', () => {
  it('doubles up to half a minute and stays within a quarter below', () => {
    expect([1, 2, 3, 20].map((attempt) => retryDelay(attempt, 1))).toEqual([250, 500, 1_000, 30_000]);
    expect(retryDelay(20, 0)).toBe(22_500);
  });
});

describe('isAgain', () => {
  it.each([
    [{ again: false }, 1, false],
    [{ again: true }, 1, true],
    [{ again: false }, 2, true],
  ])('of %j at start %i is %s', (data, attemptsStarted, expected) => {
    expect(isAgain({ data, attemptsStarted })).toBe(expected);
  });
});

it('passes on the first error of an outage only', async () => {
  const link = redisLink(`redis://127.0.0.1:${await freePort()}`, { enableOfflineQueue: false });
  let errors = 0;
  const told: string[] = [];
  const report = link.firstOf((error) => told.push(error.message));
  link.client.on('error', (error: Error) => {
    errors++;
    report(error);
  });
  await eventually(() => errors >= 3).finally(() => link.end());
  expect(told).toHaveLength(1);
});
