import { privateKeyToAccount } from 'viem/accounts';
import { FeeCapReached, type NonceSlot, type SettlementItem } from '../../src/base/chain/chain.js';
import { ViemSettlementChain } from '../../src/base/chain/settlement-chain.js';
import { keySigner } from '../../src/base/chain/signer.js';
import { mintUsdc } from '../support/usdc.js';
import {
  addressOf,
  authorizationOf,
  type LocalChain,
  NETWORK,
  randomHex,
  randomKey,
  signAuthorization,
  startLocalChain,
} from './support.js';

let chain: LocalChain;
let settlement: ViemSettlementChain;
beforeAll(async () => {
  chain = await startLocalChain();
  settlement = settlementWith();
});
afterAll(() => chain.stop());

function settlementWith(maxFeePerGas?: bigint): ViemSettlementChain {
  const signers = [keySigner(chain.settlerKey)];
  return new ViemSettlementChain({ client: chain.client, network: NETWORK, signers, pollMs: 10, maxFeePerGas });
}

async function nextSlot(): Promise<NonceSlot> {
  return { settler: chain.settler, nonce: await settlement.minedNonce(chain.settler) };
}

async function newItem(): Promise<readonly SettlementItem[]> {
  const payer = privateKeyToAccount(randomKey());
  await mintUsdc(chain.rpcUrl, addressOf(payer), 1_000n);
  const authorization = authorizationOf(addressOf(payer), randomHex(20), 1_000n);
  return [{ authorization, signature: await signAuthorization(payer, chain.token, authorization) }];
}

describe('a transaction that is not mined', () => {
  it('gives way to one with its nonce and a higher fee, and to no other', async () => {
    const slot = await nextSlot();
    const [one, two] = await Promise.all([newItem(), newItem()]);
    await chain.node.setAutomine(false);
    try {
      const first = await settlement.sign(chain.token, one, slot);
      expect(await settlement.broadcast(first)).toEqual({ kind: 'accepted' });
      const rival = await settlement.sign(chain.token, two, slot);
      expect(await settlement.broadcast(rival)).toEqual({
        kind: 'refused',
        detail: expect.stringMatching(/underpriced/),
      });
      const other = await settlement.sign(chain.token, two, slot, first);
      expect(await settlement.broadcast(other)).toEqual({ kind: 'accepted' });
      expect(await settlement.raise(other, 'if_underpriced')).toBeUndefined();
      const dearer = (await settlement.raise(other, 'always'))!;
      expect(await settlement.broadcast(dearer)).toEqual({ kind: 'accepted' });
      await chain.node.mine({ blocks: 1 });
      expect(await settlement.waitForNonce(slot, 10_000)).toBe(true);
      const outcomes = [first, rival, other, dearer].map(({ hash }) => settlement.transactionOutcome(hash));
      const kinds = (await Promise.all(outcomes)).map(({ kind }) => kind);
      expect(kinds).toEqual(['unknown', 'unknown', 'unknown', 'mined']);
    } finally {
      await chain.node.setAutomine(true);
    }
  });

  it('is raised when the base fee has passed its own, as far as the cap goes', async () => {
    const slot = await nextSlot();
    const cheap = await settlement.sign(chain.token, await newItem(), slot);
    const spike = 20_000_000_000n;
    await chain.node.setNextBlockBaseFeePerGas({ baseFeePerGas: spike });
    await chain.node.mine({ blocks: 1 });
    expect(await settlement.broadcast(cheap)).toMatchObject({ kind: 'refused' });
    const capped = settlementWith(spike / 2n);
    await expect(capped.raise(cheap, 'if_underpriced')).rejects.toThrow(FeeCapReached);
    await expect(capped.fees()).rejects.toThrow(FeeCapReached);
    const { now, usual } = await settlement.gasPrices();
    expect(now).toBeGreaterThan(2n * usual);
    const dearer = (await settlement.raise(cheap, 'if_underpriced'))!;
    expect(dearer).toMatchObject(slot);
    expect(await settlement.broadcast(dearer)).toEqual({ kind: 'accepted' });
    expect(await settlement.waitForNonce(slot, 10_000)).toBe(true);
  });
});
