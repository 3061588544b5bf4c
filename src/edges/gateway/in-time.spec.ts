import { stat } from 'node:fs/promises';
import { inTime } from './in-time.js';

const busyFor = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

describe('an answer', () => {
  it('that came while this process was busy is in time', async () => {
    const answer = inTime(stat('.'), 5);
    busyFor(100);
    expect((await answer).isDirectory()).toBe(true);
  });

  it('that does not come is not waited for', async () => {
    await expect(inTime(new Promise(() => undefined), 5)).rejects.toThrow('no answer within 5 ms');
  });

  it('that is an error is one', async () => {
    await expect(inTime(Promise.reject(new Error('refused')), 1_000)).rejects.toThrow('refused');
  });
});
