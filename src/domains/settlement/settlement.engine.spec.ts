import type { AuthorizationOutcome } from '../../base/chain/chain.js';
import { AwaitsBlocks } from './confirmation-watch.js';
import { SettlementEngine } from './settlement.engine.js';

const asset = `0x${'c'.repeat(40)}` as const;
const network = 'eip155:1';
const terms = { network, asset, payer: '0xa', payee: '0xb', amount: '10', nonce: '0x1', validBefore: '2000' };
const state = { status: 'submitted', authorized: { tenant: 'shop', mode: 'after', terms }, transactions: ['0x5e'] };

/** An engine that is asked for three blocks, and knows one payment that was sent. */
function engineOn(chain: { head: bigint; outcome: AuthorizationOutcome }, parts: object = {}) {
  const done: object[] = [];
  const deps = {
    chain: {
      network,
      settlers: ['0x5e'],
      authorizationOutcome: async () => chain.outcome,
      head: async () => ({ number: chain.head, time: 1_000n, baseFee: 0n }),
    },
    book: { naming: async () => [], find: async () => undefined },
    tokens: new Map([[asset, { network, address: asset, decimals: 6 }]]),
    confirmations: [{ from: '0', blocks: 3 }],
    load: async () => ({ version: 3, state }),
    execute: async (command: object) => {
      done.push(command);
      return { state: { ...state, status: 'settlement_failed' }, version: 4, events: [] };
    },
    clock: () => 1_000_000,
    ...parts,
  };
  return { done, engine: new SettlementEngine(deps as never) };
}

/** Comes again as long as it waits for blocks: the head that was read counts for a moment. */
async function settle(engine: SettlementEngine): Promise<void> {
  for (;;) {
    const waits = await engine.settle('pay_1', true).then(
      () => false,
      (error: unknown) => {
        if (!(error instanceof AwaitsBlocks)) throw error;
        return true;
      },
    );
    if (!waits) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('what speaks against a payment', () => {
  it.each<[string, AuthorizationOutcome]>([
    ['authorization_cancelled', { kind: 'cancelled', transaction: '0x02', blockNumber: 7n }],
    [
      'nonce_used_elsewhere',
      {
        ...({ kind: 'transferred', transaction: '0x02', blockNumber: 7n, blockHash: '0xb7', logIndex: 3 } as const),
        ...{ payee: '0xcc', value: 10n, sender: '0x5e' },
      },
    ],
  ])('has to stand as deep as a settlement: %s', async (reason, outcome) => {
    const chain = { head: 8n, outcome };
    const { done, engine } = engineOn(chain);
    await expect(engine.settle('pay_1', true)).rejects.toThrow(AwaitsBlocks);
    expect(done).toEqual([]);
    chain.head = 9n;
    await settle(engine);
    expect(done).toMatchObject([{ failed: { reason } }]);
  });

  it('is forgotten with its block', async () => {
    const chain = {
      head: 8n,
      outcome: { kind: 'cancelled', transaction: '0x02', blockNumber: 8n } as AuthorizationOutcome,
    };
    const { done, engine } = engineOn(chain, { signatures: async () => new Map() });
    await expect(engine.settle('pay_1', true)).rejects.toThrow(AwaitsBlocks);
    Object.assign(chain, { head: 10n, outcome: { kind: 'unused' } });
    await expect(settle(engine)).rejects.toThrow('the signature is missing');
    expect(done).toEqual([]);
  });
});

it('stops when the facilitators have been left', async () => {
  let part: () => void = () => undefined;
  const parted = new Promise<void>((resolve) => {
    part = resolve;
  });
  const { engine } = engineOn({ head: 8n, outcome: { kind: 'unused' } }, { remote: { stop: () => parted } });
  let stopped = false;
  const stop = engine.stop().then(() => {
    stopped = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(stopped).toBe(false);
  part();
  await stop;
});
