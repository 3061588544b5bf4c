import { decideTakeFacilitated, FACILITATOR, TakeFacilitated } from './facilitated.decide.js';
import { foldPayment } from './handler-for.js';
import type { PaymentEvent } from './payment.js';

const terms: TakeFacilitated['terms'] = {
  tenant: 'shop',
  method: 'POST',
  resource: 'https://shop.example/thing',
  requestDigest: 'digest',
  payloadDigest: 'payload',
  x402Version: 2,
  terms: {
    network: 'eip155:84532',
    asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
    payer: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
    payee: '0x7011b00c000000000000000000000000000000bb',
    amount: '1500',
    validAfter: '0',
    validBefore: '1764043500',
    nonce: `0x${'01'.repeat(32)}`,
  },
  units: '1',
  authorizedAt: '1764043200',
  idempotent: false,
  gateway: 'gw_1',
};
const quotas = [{ key: 'quota/one', delta: 1n, limit: 5n }];
const take = new TakeFacilitated('pay_0123456789abcdef0123456789abcdef', terms, [], quotas);

describe('a payment that another server settles here', () => {
  it('is ready to be settled after one write, on what it takes of limits', () => {
    const { admits, events, holds } = decideTakeFacilitated({ status: 'unknown' }, take);
    const state = foldPayment(events as readonly PaymentEvent[]);
    expect(state).toMatchObject({ status: 'delivered', authorized: { mode: 'after', route: FACILITATOR } });
    expect(holds).toEqual(quotas);
    expect(admits).toEqual({ tenant: 'shop', payer: terms.terms.payer });
  });

  it('is taken once', () => {
    const { events } = decideTakeFacilitated({ status: 'unknown' }, take);
    const taken = foldPayment(events as readonly PaymentEvent[]);
    expect(() => decideTakeFacilitated(taken, take)).toThrow(
      expect.objectContaining({ code: 'authorization_used_elsewhere' }),
    );
  });
});
