import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { DecodedPayment } from '../../base/x402/payment-header.js';
import { leastTimeoutSeconds, type Route } from '../../domains/pricing/catalogue.schemas.js';
import type { AdmissionDesk } from './admission.js';
import { UpstreamLanes, type WaitEnd } from './lanes/upstream-lanes.js';
import type { PaidCall } from './paid-call.js';
import type { RateLimits } from './rate-limits.js';
import { TurnDesk } from './turns.js';

const TIMEOUT_MS = 10_000;
const NOW = Date.UTC(2026, 10, 25);
/** The queue alone would let a request wait for an hour. */
const route = {
  ...{ id: 'one', tenant: 'shop', timeoutMs: TIMEOUT_MS },
  upstreamConcurrency: { limit: 1, queue: 10, waitMs: 3_600_000 },
} as Route;
const call = {
  ...{ route, urgency: 3 },
  token: { network: 'eip155:84532', address: `0x${'c'.repeat(40)}` },
} as unknown as PaidCall;
const lapsingAt = (at: number) =>
  ({
    authorization: { from: `0x${'a'.repeat(40)}`, nonce: '0x01', validBefore: BigInt(at / 1000) },
  }) as unknown as DecodedPayment;

describe('the wait for an upstream', () => {
  it('ends when what the authorization leaves is needed for the request itself', async () => {
    const ended: WaitEnd[] = [];
    const lanes = new UpstreamLanes({ ended: (_route, _urgency, how) => ended.push(how) });
    const none = { find: async () => undefined } as Pick<AdmissionDesk, 'find'>;
    const turns = new TurnDesk({ over: async () => undefined } as unknown as RateLimits, lanes, none);
    const take = (validBefore: number, now: number) =>
      turns.take(call, lapsingAt(validBefore), now, new EventEmitter() as ServerResponse);
    const lapses = NOW + leastTimeoutSeconds(TIMEOUT_MS) * 1000;
    const first = await take(lapses + 60_000, NOW);

    await expect(take(lapses, NOW - 30)).rejects.toMatchObject({ code: 'route_busy' });
    await expect(take(lapses, NOW)).rejects.toMatchObject({ code: 'route_busy' });
    expect(ended).toEqual(['served', 'late', 'late']);

    const patient = take(lapses + 60_000, NOW);
    await new Promise(setImmediate);
    if (first.kind === 'turn') first.leave();
    expect(await patient).toMatchObject({ kind: 'turn' });
  });
});
