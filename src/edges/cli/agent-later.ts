import { setTimeout as pause } from 'node:timers/promises';
import { type Commitment, commitmentOf, payLater } from 'tollbook-client';
import type { AgentAccount } from './agent-account.js';
import { type DemoRequest, initOf, messageOf, type Purchase, reasonOf } from './agent-buyer.js';

/** Commitments are in dollars with as many decimals. */
const DECIMALS = 6;
const NOTICE_MS = 10_000;
const PAUSE_MS = 200;

/** A `fetch` that pays later from the account. */
export function laterFetch({ customer, fresh, key }: AgentAccount): typeof fetch {
  const pay = payLater(fetch, { customer, key });
  return fresh ? onceKnown(pay) : pay;
}

/** Asks again while gateways have not heard of the account. */
function onceKnown(pay: typeof fetch): typeof fetch {
  const end = Date.now() + NOTICE_MS;
  return async (input, init) => {
    for (;;) {
      const response = await pay(input, init);
      if (response.status !== 402 || Date.now() > end) return response;
      await response.body?.cancel();
      await pause(PAUSE_MS);
    }
  };
}

/** Signs for one request. Never throws: a failure is a row of the table too. */
export async function buyLater(gateway: string, request: DemoRequest, pay: typeof fetch): Promise<Purchase> {
  const started = performance.now();
  const row = { request, decimals: DECIMALS, receipt: { state: 'none' } } as const;
  try {
    const response = await pay(new URL(request.path, gateway).href, initOf(request));
    const text = await response.text();
    const commitment = commitmentOf(response);
    return {
      ...row,
      ...outcomeOf(commitment),
      status: response.status,
      milliseconds: performance.now() - started,
      ...(response.ok ? {} : { error: reasonOf(text, undefined) }),
    };
  } catch (error) {
    const milliseconds = performance.now() - started;
    return { ...row, settlement: { state: 'none' }, milliseconds, error: messageOf(error) };
  }
}

function outcomeOf(commitment: Commitment | undefined): Pick<Purchase, 'amount' | 'settlement'> {
  if (commitment === undefined) return { settlement: { state: 'none' } };
  const { charged, held, id } = commitment;
  // Of a stream it is not known before its end; it is never more.
  return { amount: charged ?? held, settlement: { state: 'committed', commitment: id } };
}
