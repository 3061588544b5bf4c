import { createTestClient, http } from 'viem';
import type { App } from '../support/app.js';
import { Books, type SettlementTimes } from './books.js';
import { runOnce } from './compare.js';
import { BenchProcess } from './processes.js';
import { type GasPerPayment, gasPerPayment } from './settlement-gas.js';
import { testPayers } from './sign-payment.js';

const ROUTE = '/demo/weather';
const PAYERS = 8;
const WARM_PAYMENTS = 1_000;
const PAYMENTS = 5_000;
/** A second, and for how many. */
const STEADY_RATE = 100;
const STEADY_SECONDS = 20;
export const BLOCK_SECONDS = 2;
/**
 * A chain's room, so that its blocks are not what is measured: the local node's own 30 million gas hold about 570
 * payments, or 285 a second.
 */
export const BLOCK_GAS = 240_000_000n;

export interface SettlementRates {
  readonly gas: GasPerPayment;
  /** As fast as the gateway takes them, and how they were settled meanwhile. */
  readonly burst: SettlementTimes;
  readonly steady: SettlementTimes & { readonly rate: number };
}

/** Payments of the gateway's callers, to their end on a chain with a block every two seconds. Each must be settled once. */
export async function measureSettlement(app: App, note: (line: string) => void): Promise<SettlementRates> {
  note('\nSettlement');
  const gas = await gasPerPayment(app.engines.chain);
  const node = createTestClient({ mode: 'anvil', transport: http(app.engines.chain) });
  const books = new Books(app);
  const generator = BenchProcess.start('load.ts');
  const payers = testPayers(PAYERS).map(({ address }) => address);
  const { payee, token } = await books.termsOf(ROUTE);
  const pay = async (count: number, rate?: number): Promise<SettlementTimes> => {
    const since = await books.position();
    const before = await books.onChain(token, payers, payee);
    const job = { kind: 'payments', url: app.gateway + ROUTE, count, payers: PAYERS, rate } as const;
    await runOnce(generator, { name: 'Tollbook', job, expect: 200, probe: () => ({}) });
    await books.drained(() => undefined);
    const after = await books.onChain(token, payers, payee);
    const times = await books.settlementTimes(since);
    const uses = after.authorizations - before.authorizations;
    const moved = after.transfers - before.transfers;
    if (times.settled !== count || uses !== count || moved !== count) {
      throw new Error(`${count} payments are not settled exactly once: ${JSON.stringify({ times, uses, moved })}`);
    }
    return times;
  };
  try {
    // Strangers wait for their settlement; after these, all payers are known.
    await pay(PAYERS);
    await pay(WARM_PAYMENTS);
    await node.setBlockGasLimit({ gasLimit: BLOCK_GAS });
    await node.setIntervalMining({ interval: BLOCK_SECONDS });
    await pay(PAYERS);
    const burst = await pay(PAYMENTS);
    note(`${PAYMENTS} payments, each settled exactly once, in ${burst.seconds.toFixed(1)} s`);
    await pay(PAYERS);
    const steady = await pay(STEADY_RATE * STEADY_SECONDS, STEADY_RATE);
    note(`${steady.settled} payments at ${STEADY_RATE} a second, each settled exactly once`);
    return { gas, burst, steady: { ...steady, rate: STEADY_RATE } };
  } finally {
    await node.setIntervalMining({ interval: 0 });
    await node.setAutomine(true);
    generator.stop();
    await books.close();
  }
}
