import { remembered } from './remembered.js';

it('reads once for all who ask in time, anew afterwards, and at once after a failure', async () => {
  let now = 0;
  let reads = 0;
  let fails = false;
  const read = async () => {
    reads++;
    if (fails) throw new Error('away');
    return reads;
  };
  const ask = remembered(read, 100, () => now);
  expect(await Promise.all([ask(), ask()])).toEqual([1, 1]);
  now = 99;
  expect(await ask()).toBe(1);
  now = 100;
  fails = true;
  await expect(ask()).rejects.toThrow('away');
  fails = false;
  expect(await ask()).toBe(3);
});
