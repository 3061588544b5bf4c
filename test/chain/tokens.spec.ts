import { ChainUnavailable } from '../../src/base/chain/chain.js';
import { assertChainId, createChainClient } from '../../src/base/chain/chain-client.js';
import { PayerStates } from '../../src/base/chain/payer-states.js';
import { MULTICALL3 } from '../../src/base/chain/settlement-chain.js';
import { loadToken } from '../../src/base/chain/tokens.js';
import { ensureUsdc, TEST_ACCOUNTS, USDC_ADDRESS } from '../../src/base/embedded/usdc.js';
import { freePort } from '../support/ports.js';
import { type LocalChain, NETWORK, randomHex, startLocalChain } from './support.js';

let chain: LocalChain;
beforeAll(async () => {
  chain = await startLocalChain();
});
afterAll(() => chain.stop());

describe('the embedded USDC', () => {
  it('is read as on Base Sepolia', () => {
    expect(chain.token).toEqual({
      network: NETWORK,
      address: USDC_ADDRESS,
      name: 'USDC',
      version: '2',
      decimals: 6,
    });
  });

  it('is there once, however often it is asked for', async () => {
    await ensureUsdc(chain.rpcUrl, [chain.settler]);
    const states = new PayerStates({ client: chain.client, clock: () => 0 });
    for (const account of TEST_ACCOUNTS) {
      const { state, nonceUsed } = await states.fetch(chain.token, account, randomHex(32));
      expect(state).toEqual({ balance: 1_000_000_000_000n, hasCode: false, blocked: false, readAt: 0 });
      expect(nonceUsed).toBe(false);
    }
    expect(await chain.node.getBalance({ address: chain.settler })).toBeGreaterThan(10n ** 21n);
  });
});

describe('the start-up checks', () => {
  it('refuse an address without a contract, and a contract that is no such token', async () => {
    await expect(loadToken(chain.client, NETWORK, randomHex(20))).rejects.toThrow(/no contract/);
    await expect(loadToken(chain.client, NETWORK, MULTICALL3)).rejects.toThrow();
  });

  it('refuse a token that signs for another chain', async () => {
    await expect(loadToken(chain.client, 'eip155:8453', USDC_ADDRESS)).rejects.toThrow(/another domain/);
  });

  it('refuse a node of another chain', async () => {
    await expect(assertChainId(chain.client, NETWORK)).resolves.toBeUndefined();
    await expect(assertChainId(chain.client, 'eip155:8453')).rejects.toThrow(/eip155:84532/);
  });

  it('tell an unreachable node from a wrong one', async () => {
    const client = createChainClient({ rpcUrl: `http://127.0.0.1:${await freePort()}`, timeoutMs: 500 });
    await expect(assertChainId(client, NETWORK)).rejects.toThrow(ChainUnavailable);
    await expect(loadToken(client, NETWORK, USDC_ADDRESS)).rejects.toThrow(ChainUnavailable);
  });
});

it('asks everything about a payer in one HTTP request', async () => {
  const bodies: unknown[] = [];
  const original = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    bodies.push(JSON.parse(String(init?.body)));
    return original(input, init);
  };
  try {
    const states = new PayerStates({ client: chain.client, clock: () => 0 });
    await states.fetch(chain.token, TEST_ACCOUNTS[0]!, randomHex(32));
  } finally {
    globalThis.fetch = original;
  }
  expect(bodies).toEqual([expect.any(Array)]);
  expect(bodies[0]).toHaveLength(4);
});
