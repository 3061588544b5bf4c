import { asking, type FacilitatorResult, mayBeAsked, observed, scoreOf, unknownHealth } from './facilitator-health.js';

function healthAfter(results: readonly FacilitatorResult[], latencyMs = 100) {
  return results.reduce((health, result) => observed(health, result, latencyMs, 0), unknownHealth);
}

describe('the health of a facilitator', () => {
  it('begins well: nobody is passed over untried', () => expect(scoreOf(unknownHealth)).toBe(1));

  it('falls with failures and comes back with settlements', () => {
    const failed = healthAfter(['failed', 'failed']);
    expect(scoreOf(failed)).toBeLessThan(0.7);
    const back = Array.from({ length: 20 }).reduce<typeof failed>(
      (health) => observed(health, 'settled', 100, 0),
      failed,
    );
    expect(scoreOf(back)).toBeGreaterThan(0.95);
  });

  it('minds a lie most, and a refusal, which may be about the payer, least', () => {
    const scores = (['refused', 'failed', 'lied'] as const).map((result) => scoreOf(healthAfter([result])));
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores[2]).toBeLessThan(0.35);
  });

  it('prefers the faster of two that settle', () => {
    expect(scoreOf(healthAfter(['settled'], 200))).toBeGreaterThan(scoreOf(healthAfter(['settled'], 5_000)));
  });
});

describe('the circuit', () => {
  it('opens after three failures in a row, for longer each time', () => {
    expect(mayBeAsked(healthAfter(['failed', 'failed']), 0)).toBe(true);
    const open = healthAfter(['failed', 'failed', 'failed']);
    expect(mayBeAsked(open, 4_999)).toBe(false);
    expect(mayBeAsked(open, 5_000)).toBe(true);
    expect(healthAfter(['failed', 'failed', 'failed', 'failed']).openUntil).toBe(10_000);
    expect(healthAfter(Array.from({ length: 50 }, () => 'failed' as const)).openUntil).toBe(300_000);
  });

  it('opens at the first lie', () => expect(healthAfter(['lied']).openUntil).toBe(40_000));

  it('stays closed for refusals: whoever refuses is there', () => {
    expect(healthAfter(['failed', 'failed', 'refused', 'failed', 'failed']).openUntil).toBe(0);
  });

  it('lets one try it after the cool-down, and closes if that one is answered', () => {
    const open = healthAfter(['failed', 'failed', 'failed']);
    const tried = asking(open, 6_000, 1_000);
    expect(mayBeAsked(tried, 6_999)).toBe(false);
    expect(mayBeAsked(tried, 7_000)).toBe(true);
    expect(observed(tried, 'settled', 100, 6_500)).toMatchObject({ failures: 0, openUntil: 0 });
  });

  it('is no concern of those who ask one in good health', () =>
    expect(asking(unknownHealth, 0, 1_000)).toBe(unknownHealth));
});
