import fc from 'fast-check';
import { decideHolds, type HoldTotals } from '../../base/event-store/hold-totals.js';
import { Problem } from '../../base/shared/problem.js';
import { creditHold, creditKey } from '../limits/credit.js';
import {
  AcceptCommitment,
  type CommitmentPlan,
  decideAccept,
  decideDelivered,
  decideInterrupted,
  decideReleased,
  InterruptCommitment,
  RecordCommitment,
  ReleaseCommitment,
} from './commitment.decide.js';
import {
  type Commitment,
  type CommitmentAccepted,
  type CommitmentEvent,
  commitmentIdOf,
  evolveCommitment,
  newCommitment,
} from './commitment.js';

const ID = 'com_1';
const CUSTOMER = 'cus_0123456789abcdef01234567';
const AT = { tenant: 'demo', customer: CUSTOMER } as const;
const account = { ...AT, revision: 3 };
const accepted = { ...AT, gateway: 'g1', amount: '1500', units: '10' } as unknown as CommitmentAccepted['data'];
const credit = creditHold(AT, 1500n, 10_000n);
const requests = { key: 'quota/demo/calls/day/*/1800057600', delta: 1n, limit: 5n, hard: true };
const units = { key: 'quota/demo/tokens:units/day/*/1800057600', delta: 10n, limit: 50n, hard: true };
const rolling = { slot: 60, since: 0, forgetBefore: 0 };
const spend = { key: 'spend/demo/money:n:a/60s/*', delta: 1500n, limit: 9000n, hard: true, rolling };
const evidence = { base: '"@method": GET', signature: Buffer.alloc(64) };
const accept = new AcceptCommitment(ID, accepted, [credit, requests, units, spend], account, evidence);
const delivered = { status: 200, responseDigest: 'd', bytes: 2, latencyMs: 1, kept: true };
const used = { units: 4n, charged: 600n };
const record = new RecordCommitment(ID, delivered, used, []);
const release = new ReleaseCommitment(ID, { reason: 'upstream_timeout', latencyMs: 1, kept: false }, []);
const interrupt = new InterruptCommitment(ID, 'g1');

const folded = (state: Commitment, { decision }: CommitmentPlan): Commitment =>
  (decision.events as readonly CommitmentEvent[]).reduce(evolveCommitment, state);
const running = folded(newCommitment, decideAccept(newCommitment, accept));
const given = (plan: CommitmentPlan) => plan.holds!.map(({ delta, key, rolling: at }) => [key, delta, at?.slot]);

function codeOf(decide: () => unknown): string {
  try {
    decide();
  } catch (error) {
    if (error instanceof Problem) return error.code;
  }
  return 'none';
}

describe('a commitment', () => {
  it('is accepted by the account as it was, with the maximum held and the evidence beside it', () => {
    expect(decideAccept(newCommitment, accept)).toMatchObject({
      ...{ account, holds: [credit, requests, units, spend] },
      decision: {
        events: [{ type: 'CommitmentAccepted', data: { holds: [{ key: credit.key, amount: '1500' }, {}, {}, {}] } }],
        attachments: [{ table: 'commitment_evidence', row: { id: ID, base: '"@method": GET' } }],
      },
    });
  });

  it('charges what was used and gives the rest back, each hold in its own measure', () => {
    const plan = decideDelivered(running, record);
    expect(given(plan)).toEqual([
      [credit.key, -900n, undefined],
      [units.key, -6n, undefined],
      [spend.key, -900n, 60],
    ]);
    expect(folded(running, plan)).toMatchObject({
      status: 'delivered',
      delivered: { charged: '600', units: '4', released: [{ key: credit.key, amount: '900' }, {}, {}] },
    });
  });

  it('never charges more than was accepted, and gives nothing back if all of it was used', () => {
    const more = new RecordCommitment(ID, delivered, { units: 11n, charged: 1501n }, []);
    const plan = decideDelivered(running, more);
    expect(plan.holds).toEqual([]);
    expect(folded(running, plan)).toMatchObject({ delivered: { charged: '1500', units: '10', released: [] } });
  });

  it('gives everything back when nothing was delivered', () => {
    for (const plan of [decideReleased(running, release), decideInterrupted(running, interrupt)]) {
      expect(given(plan)).toEqual([
        [credit.key, -1500n, undefined],
        [requests.key, -1n, undefined],
        [units.key, -10n, undefined],
        [spend.key, -1500n, 60],
      ]);
    }
  });

  it('ends once', () => {
    const ends = [
      decideDelivered(running, record),
      decideReleased(running, release),
      decideInterrupted(running, interrupt),
    ];
    for (const end of ends) {
      const ended = folded(running, end);
      expect(codeOf(() => decideAccept(ended, accept))).toBe('commitment_nonce_reused');
      expect(codeOf(() => decideDelivered(ended, record))).toBe('delivery_interrupted');
      expect(codeOf(() => decideReleased(ended, release))).toBe('delivery_interrupted');
      expect(decideInterrupted(ended, interrupt).decision.events).toEqual([]);
    }
    expect(codeOf(() => decideAccept(running, accept))).toBe('commitment_nonce_reused');
    expect(decideInterrupted(running, new InterruptCommitment(ID, 'g2')).decision.events).toEqual([]);
  });

  it('has one id for one nonce of one account at one tenant', () => {
    const ids = [
      ['demo', CUSTOMER, 'n'],
      ['other', CUSTOMER, 'n'],
      ['demo', 'cus_2', 'n'],
      ['demo', CUSTOMER, 'm'],
    ].map(([tenant, customer, nonce]) => commitmentIdOf(tenant!, customer!, nonce!));
    expect(new Set(ids).size).toBe(4);
    expect(commitmentIdOf('demo', CUSTOMER, 'n')).toBe(ids[0]);
    expect(ids[0]).toMatch(/^com_[0-9a-f]{32}$/);
  });
});

describe('any commitments at once', () => {
  const step = fc.record({
    amount: fc.bigInt(1n, 400n),
    end: fc.constantFrom('deliver', 'release', 'interrupt', 'leave'),
    part: fc.nat(100),
  });

  it('never owe more than the line, and owe what was charged and what still runs', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.bigInt(0n, 1500n), (steps, line) => {
        const totals: HoldTotals = new Map();
        const key = creditKey('demo', CUSTOMER);
        const take = (holds: CommitmentPlan['holds']) => {
          const { changed, outcomes } = decideHolds([holds], totals);
          for (const [name, total] of changed) totals.set(name, total);
          return !('refused' in outcomes[0]!);
        };
        let owed = 0n;
        for (const { amount, end, part } of steps) {
          const data = { ...accepted, amount: `${amount}`, units: '1' };
          const plan = decideAccept(
            newCommitment,
            new AcceptCommitment(ID, data, [creditHold(AT, amount, line)], account, evidence),
          );
          const granted = take(plan.holds);
          expect(granted).toBe(owed + amount <= line);
          if (!granted) continue;
          owed += amount;
          const state = folded(newCommitment, plan);
          const charged = (amount * BigInt(part)) / 100n;
          if (end === 'deliver') {
            take(decideDelivered(state, new RecordCommitment(ID, delivered, { units: 1n, charged }, [])).holds);
            owed += charged - amount;
          } else if (end !== 'leave') {
            take((end === 'release' ? decideReleased(state, release) : decideInterrupted(state, interrupt)).holds);
            owed -= amount;
          }
          expect(totals.get(key)?.held ?? 0n).toBe(owed);
        }
      }),
    );
  });
});
