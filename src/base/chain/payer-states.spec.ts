import { jest } from '@jest/globals';
import type { Address, Hex } from '../shared/hex.js';
import { ChainUnavailable, type Token } from './chain.js';
import type { ChainClient } from './chain-client.js';
import { KNOWN_FOR_MS, PayerStates } from './payer-states.js';

const token: Token = { network: 'eip155:1', address: `0x${'aa'.repeat(20)}`, name: 'T', version: '1', decimals: 6 };
const payer: Address = `0x${'bb'.repeat(20)}`;
const nonce: Hex = `0x${'cc'.repeat(32)}`;

type Request = { method: string; params: readonly [{ data?: Hex }, string] };

/** Answers when told to, as a slow node would. */
function slowNode() {
  const waiting: { answer(balance: bigint): void; fail(): void }[] = [];
  const request = async ({ method, params }: Request): Promise<Hex> => {
    if (method === 'eth_getCode') return '0x';
    if (!params[0].data?.startsWith('0x70a08231')) return `0x${'0'.repeat(64)}`;
    return new Promise((resolve, reject) => {
      waiting.push({
        answer: (balance) => resolve(`0x${balance.toString(16)}`),
        fail: () => reject(new Error('down')),
      });
    });
  };
  return { client: { request } as unknown as ChainClient, waiting };
}

function setUp() {
  let now = 1_000_000;
  const { client, waiting } = slowNode();
  const states = new PayerStates({ client, clock: () => now });
  const fetched = async (balance: bigint) => {
    const fetching = states.fetch(token, payer, nonce);
    waiting.shift()?.answer(balance);
    return fetching;
  };
  const pass = (milliseconds: number) => {
    now += milliseconds;
  };
  return { states, waiting, fetched, pass, balance: () => states.known(token, payer)?.balance };
}

describe('PayerStates', () => {
  it('knows nobody at first, and a payer for the bound after it was read', async () => {
    const { states, fetched, pass } = setUp();
    expect(states.known(token, payer)).toBeUndefined();
    expect(await fetched(100n)).toEqual({
      state: { balance: 100n, hasCode: false, blocked: false, readAt: 1_000_000 },
      nonceUsed: false,
    });
    pass(KNOWN_FOR_MS);
    expect(states.known(token, payer)).toEqual({ balance: 100n, hasCode: false, blocked: false, readAt: 1_000_000 });
    pass(1);
    expect(states.known(token, payer)).toBeUndefined();
  });

  it('takes admitted amounts off until a later read', async () => {
    const { states, waiting, fetched, balance } = setUp();
    await fetched(100n);
    states.reserve(token, payer, 30n);
    states.reserve(token, payer, 30n);
    expect(balance()).toBe(40n);
    states.reserve(token, payer, 60n);
    expect(balance()).toBe(0n);
    const refreshing = states.refresh();
    waiting.shift()?.answer(70n);
    await refreshing;
    expect(balance()).toBe(70n);
  });

  it('keeps a reservation made while a read was under way', async () => {
    const { states, waiting, fetched, balance } = setUp();
    await fetched(100n);
    states.reserve(token, payer, 10n);
    const refreshing = states.refresh();
    states.reserve(token, payer, 5n);
    waiting.shift()?.answer(90n);
    await refreshing;
    expect(balance()).toBe(85n);
  });

  it('does not let an older read that comes in late replace a newer one', async () => {
    const { states, waiting, balance } = setUp();
    const older = states.fetch(token, payer, nonce);
    states.reserve(token, payer, 40n);
    const newer = states.fetch(token, payer, nonce);
    waiting[1]?.answer(60n);
    await newer;
    waiting[0]?.answer(100n);
    expect((await older).state.balance).toBe(60n);
    expect(balance()).toBe(60n);
  });

  it('does not believe a read that was under way when the payer was forgotten', async () => {
    const { states, waiting, fetched, balance } = setUp();
    const early = states.fetch(token, payer, nonce);
    states.forget(token, payer);
    waiting.shift()?.answer(100n);
    await early;
    expect(balance()).toBeUndefined();
    await fetched(7n);
    expect(balance()).toBe(7n);
  });

  it('keeps only admitted payers fresh', async () => {
    const { states, waiting, fetched, pass } = setUp();
    await fetched(100n);
    await states.refresh();
    expect(waiting).toHaveLength(0);
    states.reserve(token, payer, 1n);
    pass(60_000);
    const refreshing = states.refresh();
    expect(waiting).toHaveLength(1);
    waiting.shift()?.answer(1n);
    await refreshing;
    pass(1);
    await states.refresh();
    expect(waiting).toHaveLength(0);
  });

  it('says that the chain is unavailable, and lets what was known grow old', async () => {
    const { states, waiting, fetched, pass, balance } = setUp();
    await fetched(100n);
    const fetching = states.fetch(token, payer, nonce);
    waiting.shift()?.fail();
    await expect(fetching).rejects.toThrow(ChainUnavailable);
    expect(balance()).toBe(100n);
    pass(KNOWN_FOR_MS + 1);
    expect(balance()).toBeUndefined();
  });

  it('refreshes in the background once a second until stopped', async () => {
    jest.useFakeTimers();
    try {
      const { states, waiting, fetched, balance } = setUp();
      await fetched(100n);
      states.reserve(token, payer, 1n);
      states.start();
      await jest.advanceTimersByTimeAsync(1_000);
      waiting.shift()?.answer(50n);
      await jest.advanceTimersByTimeAsync(0);
      expect(balance()).toBe(50n);
      states.stop();
      await jest.advanceTimersByTimeAsync(5_000);
      expect(waiting).toHaveLength(0);
    } finally {
      jest.useRealTimers();
    }
  });
});
