import type { NewEvent } from '../../src/base/event-store/event.js';
import type { PaymentAuthorized, RequestDelivered } from '../../src/domains/payments/payment.js';

const digest = 'A'.repeat(43);
const address = `0x${'5c'.repeat(20)}` as const;

/** The two events that a paid request writes before it is settled, in their true size. */
export function sampleEvents(number: number): readonly [NewEvent, NewEvent] {
  const nonce = `0x${number.toString(16).padStart(64, '0')}` as const;
  const authorized: PaymentAuthorized = {
    type: 'PaymentAuthorized',
    schema: 4,
    data: {
      tenant: 'demo',
      authorizedAt: '1790000000',
      route: 'weather',
      method: 'GET',
      resource: 'http://localhost:4020/demo/weather',
      requestDigest: digest,
      payloadDigest: digest,
      x402Version: 2,
      terms: {
        network: 'eip155:84532',
        asset: address,
        payer: address,
        payee: address,
        amount: '1000',
        validAfter: '0',
        validBefore: '1800000000',
        nonce,
      },
      tariff: { id: 'weather', version: 1 },
      quote: 'B'.repeat(22),
      units: '1',
      mode: 'async',
      idempotent: false,
      gateway: 'C'.repeat(22),
      holds: [{ key: `exposure/demo/eip155:84532/${address}`, amount: '1000' }],
    },
  };
  const delivered: RequestDelivered = {
    type: 'RequestDelivered',
    schema: 1,
    data: { status: 200, responseDigest: digest, bytes: 112, latencyMs: 3, kept: true },
  };
  return [authorized, delivered];
}
