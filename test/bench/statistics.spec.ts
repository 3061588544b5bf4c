import { atLeast, atMost, median, summarize } from './statistics.js';

describe('bench statistics', () => {
  it('take the middle, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([8, 1, 4, 2])).toBe(3);
  });

  it('summarize rounds by medians, CPU by part', () => {
    const round = (requests: number, p99: number, server: number) => ({
      ...{ requests, seconds: 2, p50: 1, p99, statuses: { 200: requests } },
      cpu: { server },
    });
    const rounds = [round(100, 7, 30), round(300, 9, 10), round(200, 50, 20)];
    expect(summarize({ name: 'ours', rounds })).toEqual({
      name: 'ours',
      rate: 100,
      p50: 1,
      p99: 9,
      cpu: { server: 20 },
    });
  });

  it('say whether a goal is met', () => {
    expect(atLeast('offers', 4, 4).met).toBe(true);
    expect(atLeast('offers', 3.99, 4).met).toBe(false);
    expect(atMost('memory', 400, 400).met).toBe(true);
    expect(atMost('memory', 401, 400).met).toBe(false);
  });
});
