import fc from 'fast-check';
import { Problem } from '../../base/shared/problem.js';
import {
  decideFreeDelivery,
  decideFreeFailure,
  decideFreeInterruption,
  decideGrant,
  FailFreeRequest,
  type FreePlan,
  GrantFreeRequest,
  InterruptFreeRequest,
  RecordFreeDelivery,
} from './free-request.decide.js';
import {
  evolveFreeRequest,
  type FreeRequest,
  type FreeRequestEvent,
  type FreeRequestGranted,
  freeRequestIdOf,
  newFreeRequest,
} from './free-request.js';

const NOW = Date.UTC(2026, 10, 25);
const PAYER = `0x${'ab'.repeat(20)}` as const;
const ID = 'free_1';
const granted = {
  ...{ tenant: 'demo', payer: PAYER, requestDigest: 'digest', gateway: 'g1' },
} as unknown as FreeRequestGranted['data'];
const allowance = { key: 'free/demo', delta: 3n, limit: 10n, expiresAt: NOW, hard: true };
const rolling = { slot: 60, since: 0, forgetBefore: 0 };
const quota = { key: 'quota/demo/rolled/1s/*', delta: 1n, limit: 5n, expiresAt: NOW, hard: true, rolling };
const grant = new GrantFreeRequest(ID, granted, [allowance, quota]);
const delivered = { status: 200, responseDigest: 'd', bytes: 2, latencyMs: 1 };
const failed = { reason: 'upstream_timeout', latencyMs: 1 } as const;
const running = folded(newFreeRequest, decideGrant(newFreeRequest, grant, NOW));

function folded(state: FreeRequest, { decision }: FreePlan): FreeRequest {
  return (decision.events as readonly FreeRequestEvent[]).reduce<FreeRequest>(evolveFreeRequest, state);
}

function codeOf(decide: () => unknown): string {
  try {
    decide();
  } catch (error) {
    if (error instanceof Problem) return error.code;
  }
  return 'none';
}

describe('a free request', () => {
  it('is let in with hard holds of the allowance and the quotas, for a payer that is served', () => {
    expect(decideGrant(newFreeRequest, grant, NOW)).toMatchObject({
      holds: [allowance, quota],
      admits: { tenant: 'demo', payer: PAYER },
      decision: {
        events: [
          {
            data: {
              holds: [
                { key: 'free/demo', amount: '3' },
                { key: 'quota/demo/rolled/1s/*@60', amount: '1' },
              ],
            },
          },
        ],
        attachments: [{ table: 'running_free_requests', row: { id: ID, gateway: 'g1' } }],
      },
    });
    expect(running).toMatchObject({ status: 'running' });
  });

  it('keeps what it used when it is delivered', () => {
    const plan = decideFreeDelivery(running, new RecordFreeDelivery(ID, delivered));
    expect(plan.holds).toBeUndefined();
    expect(folded(running, plan)).toMatchObject({ status: 'delivered' });
  });

  it.each([
    ['failed', decideFreeFailure(running, new FailFreeRequest(ID, failed))],
    ['interrupted', decideFreeInterruption(running, new InterruptFreeRequest(ID, 'g1'))],
  ])('gives it back when it is %s', (status, plan) => {
    expect(plan.holds).toEqual([
      { key: 'free/demo', delta: -3n },
      expect.objectContaining({ key: 'quota/demo/rolled/1s/*', delta: -1n }),
    ]);
    expect(plan.decision.removals).toEqual([{ table: 'running_free_requests', key: { id: ID } }]);
    expect(folded(running, plan)).toMatchObject({ status });
  });

  it('is not taken from a gateway that has it no more', () => {
    expect(decideFreeInterruption(running, new InterruptFreeRequest(ID, 'g2')).decision.events).toEqual([]);
  });

  it('is not run again under its name', () => {
    const done = folded(running, decideFreeDelivery(running, new RecordFreeDelivery(ID, delivered)));
    const ended = folded(running, decideFreeInterruption(running, new InterruptFreeRequest(ID, 'g1')));
    const other = new GrantFreeRequest(ID, { ...granted, requestDigest: 'other' }, grant.holds);
    expect(codeOf(() => decideGrant(running, grant, NOW))).toBe('delivery_in_progress');
    expect(codeOf(() => decideGrant(done, grant, NOW))).toBe('answer_not_kept');
    expect(codeOf(() => decideGrant(ended, grant, NOW))).toBe('free_request_ended');
    expect(codeOf(() => decideGrant(running, other, NOW))).toBe('request_name_reused');
  });

  it('has one end, and holds what it used exactly if that is its delivery', () => {
    const commands: readonly ((state: FreeRequest) => FreePlan)[] = [
      (state) => decideGrant(state, grant, NOW),
      (state) => decideFreeDelivery(state, new RecordFreeDelivery(ID, delivered)),
      (state) => decideFreeFailure(state, new FailFreeRequest(ID, failed)),
      (state) => decideFreeInterruption(state, new InterruptFreeRequest(ID, 'g1')),
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...commands), { maxLength: 12 }), (sent) => {
        let [state, held, events] = [newFreeRequest as FreeRequest, 0n, 0];
        for (const decide of sent) {
          try {
            const plan = decide(state);
            state = folded(state, plan);
            events += plan.decision.events.length;
            for (const { delta } of plan.holds ?? []) held += delta;
          } catch (error) {
            if (!(error instanceof Problem)) throw error;
          }
        }
        expect(events).toBeLessThanOrEqual(2);
        expect(held).toBe(state.status === 'running' || state.status === 'delivered' ? 4n : 0n);
      }),
    );
  });

  it('has the same id for the same name of the same customer only', () => {
    const id = freeRequestIdOf('demo', PAYER, 'a');
    expect(freeRequestIdOf('demo', PAYER, 'a')).toBe(id);
    expect(freeRequestIdOf('demo', PAYER, 'b')).not.toBe(id);
    expect(freeRequestIdOf('shop', PAYER, 'a')).not.toBe(id);
    expect(freeRequestIdOf('demo', PAYER, undefined)).not.toBe(freeRequestIdOf('demo', PAYER, undefined));
  });
});
