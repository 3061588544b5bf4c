import type { Hex } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import { foldPayment } from './handler-for.js';
import {
  AuthorizePayment,
  decideAuthorize,
  decideDelivery,
  decideFailure,
  decideInterruption,
  decideRestart,
  FailDelivery,
  InterruptDelivery,
  type Plan,
  RecordDelivery,
  RestartDelivery,
} from './payment.decide.js';
import { initialPayment } from './payment.evolve.js';
import {
  type DeliveryInterrupted,
  type Payment,
  type PaymentAuthorized,
  type PaymentEvent,
  type RequestDelivered,
} from './payment.js';

const ID = `pay_${'0'.repeat(32)}` as const;
const GATEWAY = 'gw_one';
const EXPOSURE = { key: 'exposure/demo/payer', delta: 1000n, limit: 5_000n };
const OFF_PROBATION = { key: `probation/demo/0x${'b'.repeat(40)}`, delta: 0n, limit: 0n };
const HOLDS = [
  { key: EXPOSURE.key, amount: '1000' },
  { key: 'quota/demo/daily/payer', amount: '1' },
];
const RELEASED = HOLDS.map(({ amount, key }) => ({ key, delta: -BigInt(amount) }));

const terms: AuthorizePayment['terms'] = {
  tenant: 'demo',
  route: 'weather',
  method: 'GET',
  resource: 'http://localhost:4020/demo/weather',
  requestDigest: 'request',
  payloadDigest: 'payload',
  x402Version: 2,
  terms: {
    network: 'eip155:84532',
    asset: `0x${'a'.repeat(40)}`,
    payer: `0x${'b'.repeat(40)}`,
    payee: `0x${'c'.repeat(40)}`,
    amount: '1000',
    validAfter: '0',
    validBefore: '1800000300',
    nonce: `0x${'1'.repeat(64)}` as Hex,
  },
  tariff: { id: 'weather', version: 1 },
  quote: 'quote',
  units: '1',
  authorizedAt: '1800000000',
  idempotent: false,
  gateway: GATEWAY,
};

const authorized = (over: Partial<PaymentAuthorized['data']> = {}): PaymentAuthorized => ({
  type: 'PaymentAuthorized',
  schema: 4,
  data: { ...terms, mode: 'async', holds: HOLDS, ...over },
});
const delivered: RequestDelivered = {
  type: 'RequestDelivered',
  schema: 1,
  data: { status: 200, responseDigest: 'answer', bytes: 2, latencyMs: 3, kept: true },
};
const interrupted: DeliveryInterrupted = { type: 'DeliveryInterrupted', schema: 1, data: { gateway: GATEWAY } };

const given = (...events: PaymentEvent[]): Payment => foldPayment(events);
const eventsOf = (plan: Plan, held = true) => (typeof plan.events === 'function' ? plan.events(held) : plan.events);
const code = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as Problem).code;
  }
};

describe('authorizing', () => {
  const authorize = (...exposure: (typeof EXPOSURE)[]) =>
    new AuthorizePayment(ID, terms, exposure, [], { version: 0, state: initialPayment });

  it('given nothing, when the hold is granted, then async and holding the amount', () => {
    const plan = decideAuthorize(initialPayment, authorize(EXPOSURE));
    expect(plan.holds).toEqual([EXPOSURE, OFF_PROBATION]);
    expect(eventsOf(plan)).toEqual([authorized({ holds: HOLDS.slice(0, 1) })]);
  });

  it('given nothing, when the hold is refused, then served after settlement, without a hold', () => {
    const plan = decideAuthorize(initialPayment, authorize(EXPOSURE));
    expect(eventsOf(plan, false)).toEqual([authorized({ mode: 'after', holds: [] })]);
  });

  it('given quotas, then they are asked for beside the exposure, and held whether that is granted or not', () => {
    const quotas = [{ key: HOLDS[1]!.key, delta: 1n, limit: 5n, hard: true }];
    const known = { version: 0, state: initialPayment };
    const plan = decideAuthorize(
      initialPayment,
      new AuthorizePayment(ID, terms, [EXPOSURE], [], known, undefined, quotas),
    );
    expect(plan.holds).toEqual([EXPOSURE, OFF_PROBATION, ...quotas]);
    expect(eventsOf(plan)).toEqual([authorized()]);
    expect(eventsOf(plan, false)).toEqual([authorized({ mode: 'after', holds: HOLDS.slice(1) })]);
  });

  it('given nothing, when the payer is unknown, then no exposure is asked for', () => {
    const plan = decideAuthorize(initialPayment, authorize());
    expect(plan.holds).toEqual([]);
    expect(eventsOf(plan)).toEqual([authorized({ mode: 'after', holds: [] })]);
  });

  it.each([
    ['authorized', given(authorized())],
    ['delivered', given(authorized(), delivered)],
    ['interrupted', given(authorized(), interrupted)],
  ])('given %s, when presented again, then refused', (_status, state) => {
    expect(code(() => decideAuthorize(state, authorize(EXPOSURE)))).toBe('authorization_used_elsewhere');
  });
});

describe('delivering', () => {
  const deliver = (gateway = GATEWAY) => new RecordDelivery(ID, delivered.data, gateway);
  const fail = (gateway = GATEWAY) =>
    new FailDelivery(ID, { reason: 'upstream_timeout', kept: false, latencyMs: 9 }, gateway);

  it('given authorized, when delivered, then recorded, and what is held stays', () => {
    const plan = decideDelivery(given(authorized()), deliver());
    expect(eventsOf(plan)).toEqual([delivered]);
    expect(plan.holds).toBeUndefined();
  });

  it('given authorized, when the provider fails, then released with everything it held', () => {
    const plan = decideFailure(given(authorized()), fail());
    expect(eventsOf(plan)[0]).toMatchObject({ type: 'DeliveryFailed', data: { reason: 'upstream_timeout' } });
    expect(plan.holds).toEqual(RELEASED);
  });

  it.each([
    ['interrupted meanwhile', given(authorized(), interrupted), GATEWAY],
    ['delivering at another gateway', given(authorized()), 'gw_two'],
    ['delivered already', given(authorized(), delivered), GATEWAY],
    ['never authorized', initialPayment, GATEWAY],
  ])('given %s, then neither delivery nor failure is recorded', (_case, state, gateway) => {
    expect(code(() => decideDelivery(state, deliver(gateway)))).toBe('delivery_interrupted');
    expect(code(() => decideFailure(state, fail(gateway)))).toBe('delivery_interrupted');
  });
});

describe('interrupting', () => {
  const interrupt = new InterruptDelivery(ID, GATEWAY);

  it('given authorized by that gateway, then interrupted and released', () => {
    const plan = decideInterruption(given(authorized()), interrupt);
    expect(eventsOf(plan)).toEqual([interrupted]);
    expect(plan.holds).toEqual(RELEASED);
  });

  it.each([
    ['delivered meanwhile', given(authorized(), delivered)],
    ['interrupted already', given(authorized(), interrupted)],
    ['authorized by another gateway', given(authorized({ gateway: 'gw_two' }))],
  ])('given %s, then nothing', (_case, state) => {
    expect(eventsOf(decideInterruption(state, interrupt))).toEqual([]);
  });
});

describe('restarting', () => {
  const restart = new RestartDelivery(ID, 'gw_two');

  it('given interrupted on an idempotent route, then delivered by the new gateway, exposure taken again and the quotas that it is given', () => {
    const state = given(authorized({ idempotent: true }), interrupted);
    const quotas = [{ key: HOLDS[1]!.key, delta: 1n, limit: 5n, hard: true }];
    const plan = decideRestart(state, new RestartDelivery(ID, 'gw_two', undefined, quotas));
    expect(plan.holds).toEqual([{ key: EXPOSURE.key, delta: 1000n }, ...quotas]);
    const after = foldPayment(eventsOf(plan), state);
    expect(after).toMatchObject({ status: 'authorized', gateway: 'gw_two' });
    expect(code(() => decideDelivery(after, new RecordDelivery(ID, delivered.data, GATEWAY)))).toBe(
      'delivery_interrupted',
    );
  });

  it('given interrupted, then the purchase identifier is claimed in the same step', () => {
    const event = { type: 'PurchaseIdentified', schema: 1, data: { payment: ID, requestDigest: 'request' } };
    const claim = { stream: 'identifier/one', expectedVersion: 1, event };
    const state = given(authorized({ idempotent: true }), interrupted);
    expect(decideRestart(state, new RestartDelivery(ID, 'gw_two', claim)).claim).toEqual(claim);
  });

  it('given interrupted on any other route, then refused', () => {
    expect(code(() => decideRestart(given(authorized(), interrupted), restart))).toBe('delivery_interrupted');
  });

  it('given restarted by somebody else, then in progress', () => {
    expect(code(() => decideRestart(given(authorized({ idempotent: true })), restart))).toBe('delivery_in_progress');
  });
});
