import { parseAbi } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import {
  ChainUnavailable,
  type NonceSlot,
  type SettlementItem,
  type TransferAuthorization,
} from '../../src/base/chain/chain.js';
import { createChainClient } from '../../src/base/chain/chain-client.js';
import { transferCallData } from '../../src/base/chain/eip3009.js';
import { ViemSettlementChain } from '../../src/base/chain/settlement-chain.js';
import { keySigner } from '../../src/base/chain/signer.js';
import { balanceOf } from '../../src/base/chain/token-calls.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { freePort } from '../support/ports.js';
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
  walletAt,
  walletCode,
} from './support.js';

const FUNDS = 1_000_000n;

let chain: LocalChain;
let settlement: ViemSettlementChain;
beforeAll(async () => {
  chain = await startLocalChain();
  settlement = settlementWith({});
});
afterAll(() => chain.stop());

function settlementWith(options: { logRange?: bigint; logDepth?: bigint; maxFeePerGas?: bigint }) {
  return new ViemSettlementChain({
    client: chain.client,
    network: NETWORK,
    signers: [keySigner(chain.settlerKey)],
    pollMs: 10,
    ...options,
  });
}

async function nextSlot(): Promise<NonceSlot> {
  return { settler: chain.settler, nonce: await settlement.minedNonce(chain.settler) };
}

function firstOf({ settlers }: ViemSettlementChain): NonceSlot {
  return { settler: settlers[0]!, nonce: 0 };
}

async function newPayer(): Promise<PrivateKeyAccount> {
  const account = privateKeyToAccount(randomKey());
  await mintUsdc(chain.rpcUrl, addressOf(account), FUNDS);
  return account;
}

async function itemOf(account: PrivateKeyAccount, to: Address, value = 1_000n): Promise<SettlementItem> {
  const authorization = authorizationOf(addressOf(account), to, value);
  return { authorization, signature: await signAuthorization(account, chain.token, authorization) };
}

async function settle(items: readonly SettlementItem[]) {
  const signed = await settlement.sign(chain.token, items, await nextSlot());
  expect(await settlement.broadcast(signed)).toEqual({ kind: 'accepted' });
  expect(await settlement.waitForNonce(signed, 10_000)).toBe(true);
  expect(await settlement.transactionOutcome(signed.hash)).toMatchObject({ kind: 'mined', succeeded: true });
  return signed;
}

function outcomeOf({ from, nonce }: TransferAuthorization) {
  return settlement.authorizationOutcome(chain.token, from, nonce);
}

/** A funded account that is nobody of ours sends any transaction to the token. */
async function strangerSends(data: Hex): Promise<Hex> {
  const stranger = privateKeyToAccount(randomKey());
  await chain.node.setBalance({ address: stranger.address, value: 10n ** 18n });
  const hash = await walletAt(chain.rpcUrl, stranger).sendTransaction({
    chain: null,
    to: chain.token.address,
    data,
    gas: 500_000n,
  });
  await chain.node.waitForTransactionReceipt({ hash, pollingInterval: 20 });
  return hash;
}

describe('a batch', () => {
  it('transfers the good items and lets the bad one fail alone', async () => {
    const payee = randomHex(20);
    const items = await Promise.all([1n, 2n, 3n, 4n, 5n].map(async (n) => itemOf(await newPayer(), payee, n)));
    items[2] = { ...items[2]!, signature: randomHex(65) };
    const { hash } = await settle(items);

    const outcomes = await Promise.all(items.map(({ authorization }) => outcomeOf(authorization)));
    expect(outcomes.map(({ kind }) => kind)).toEqual([
      'transferred',
      'transferred',
      'unused',
      'transferred',
      'transferred',
    ]);
    const moved = outcomes.flatMap((outcome) => (outcome.kind === 'transferred' ? [outcome] : []));
    expect(moved.map(({ value }) => value)).toEqual([1n, 2n, 4n, 5n]);
    expect(moved.every(({ transaction, payee: to }) => transaction === hash && to === payee)).toBe(true);
    expect(moved.every(({ sender }) => sender === chain.settler)).toBe(true);
    expect(new Set(moved.map(({ logIndex }) => logIndex)).size).toBe(4);
    expect(await balanceOf(chain.client, chain.token, payee)).toBe(12n);
  });

  it('tells the transfers of one payer apart', async () => {
    const account = await newPayer();
    const items = await Promise.all([7n, 8n, 9n].map((n) => itemOf(account, randomHex(20), n)));
    await settle(items);
    for (const { authorization } of items) {
      expect(await outcomeOf(authorization)).toMatchObject({
        kind: 'transferred',
        payee: authorization.to,
        value: authorization.value,
      });
    }
  });

  it('outlives contracts that burn all gas they get', async () => {
    const payee = randomHex(20);
    const account = await newPayer();
    const items = await Promise.all(Array.from({ length: 30 }, () => itemOf(account, payee, 2n)));
    const burner = await newPayer();
    const burns = [await itemOf(burner, payee), await itemOf(burner, payee)];
    await chain.node.setCode({ address: burner.address, bytecode: '0x5b600056' });
    await settle([...burns, ...items]);
    expect(await balanceOf(chain.client, chain.token, payee)).toBe(60n);
    expect(await outcomeOf(burns[0]!.authorization)).toEqual({ kind: 'unused' });
  });

  it('carries one payer with code and leaves the others for later', async () => {
    const payee = randomHex(20);
    const wallets = [await newPayer(), await newPayer()];
    for (const { address } of wallets) {
      await chain.node.setCode({ address, bytecode: walletCode('MockERC1271Wallet') });
      await chain.node.setStorageAt({ address, index: 0, value: `0x${address.slice(2).padStart(64, '0')}` });
    }
    const items = await Promise.all([...wallets, await newPayer()].map((account) => itemOf(account, payee, 5n)));
    await settle(items);
    const outcomes = await Promise.all(items.map(({ authorization }) => outcomeOf(authorization)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['transferred', 'unused', 'transferred']);
    await settle([items[1]!]);
    expect(await outcomeOf(items[1]!.authorization)).toMatchObject({ kind: 'transferred', payee, value: 5n });
  });
});

describe('an authorization', () => {
  it('counts as transferred when a stranger broadcast it first', async () => {
    const payee = randomHex(20);
    const item = await itemOf(await newPayer(), payee, 42n);
    const stranger = await strangerSends(transferCallData(item));
    expect(await settlement.refusalOf(chain.token, item)).toMatch(/used or canceled/);
    await settle([item]);
    expect(await outcomeOf(item.authorization)).toMatchObject({
      kind: 'transferred',
      transaction: stranger,
      sender: expect.not.stringMatching(chain.settler),
      payee,
      value: 42n,
    });
    expect(await balanceOf(chain.client, chain.token, payee)).toBe(42n);
  });

  it('is told from a cancelled one', async () => {
    const account = await newPayer();
    const item = await itemOf(account, randomHex(20));
    const { nonce } = item.authorization;
    const signature = await account.signTypedData({
      domain: { name: 'USDC', version: '2', chainId: 84_532, verifyingContract: chain.token.address },
      types: {
        CancelAuthorization: [
          { name: 'authorizer', type: 'address' },
          { name: 'nonce', type: 'bytes32' },
        ],
      },
      primaryType: 'CancelAuthorization',
      message: { authorizer: account.address, nonce },
    });
    const hash = await walletAt(chain.rpcUrl, privateKeyToAccount(chain.settlerKey)).writeContract({
      chain: null,
      address: chain.token.address,
      abi: parseAbi(['function cancelAuthorization(address authorizer, bytes32 nonce, bytes signature)']),
      functionName: 'cancelAuthorization',
      args: [account.address, nonce, signature],
    });
    await chain.client.waitForTransactionReceipt({ hash });
    await settle([item]);
    const { blockNumber } = await chain.client.getTransactionReceipt({ hash });
    expect(await outcomeOf(item.authorization)).toEqual({ kind: 'cancelled', transaction: hash, blockNumber });
  });

  it('stays unused when the wallet is empty, and the token says why', async () => {
    const account = await newPayer();
    const item = await itemOf(account, randomHex(20), 600_000n);
    expect(await settlement.refusalOf(chain.token, item)).toBeUndefined();
    await settle([await itemOf(account, randomHex(20), 500_000n)]);
    await settle([item]);
    expect(await outcomeOf(item.authorization)).toEqual({ kind: 'unused' });
    expect(await settlement.refusalOf(chain.token, item)).toMatch(/exceeds balance/);
  });

  it('is found many blocks back, and unknown beyond the depth', async () => {
    const item = await itemOf(await newPayer(), randomHex(20));
    await settle([item]);
    await chain.node.mine({ blocks: 20 });
    const { from, nonce } = item.authorization;
    const patient = settlementWith({ logRange: 3n });
    expect(await patient.authorizationOutcome(chain.token, from, nonce)).toMatchObject({ kind: 'transferred' });
    const hasty = settlementWith({ logRange: 3n, logDepth: 10n });
    await expect(hasty.authorizationOutcome(chain.token, from, nonce)).rejects.toThrow(ChainUnavailable);
  });
});

describe('a signed transaction', () => {
  it('can be broadcast as often as wanted', async () => {
    const signed = await settlement.sign(
      chain.token,
      [await itemOf(await newPayer(), randomHex(20))],
      await nextSlot(),
    );
    await chain.node.setAutomine(false);
    try {
      expect(await settlement.transactionOutcome(signed.hash)).toEqual({ kind: 'unknown' });
      expect(await settlement.broadcast(signed)).toEqual({ kind: 'accepted' });
      expect(await settlement.broadcast(signed)).toEqual({ kind: 'already_known' });
      expect(await settlement.waitForNonce(signed, 50)).toBe(false);
      expect(await settlement.transactionOutcome(signed.hash)).toEqual({ kind: 'pending' });
    } finally {
      await chain.node.setAutomine(true);
      await chain.node.mine({ blocks: 1 });
    }
    expect(await settlement.waitForNonce(signed, 10_000)).toBe(true);
    expect(await settlement.transactionOutcome(signed.hash)).toMatchObject({ kind: 'mined' });
    expect(await settlement.broadcast(signed)).toEqual({ kind: 'already_known' });
  });

  it('is too late when another one has its nonce', async () => {
    const slot = await nextSlot();
    const account = await newPayer();
    const late = await settlement.sign(chain.token, [await itemOf(account, randomHex(20))], slot);
    await settle([await itemOf(account, randomHex(20))]);
    expect(await settlement.broadcast(late)).toEqual({ kind: 'nonce_too_low' });
    expect(await settlement.transactionOutcome(late.hash)).toEqual({ kind: 'unknown' });
  });

  it('is refused without gas, and not signed while gas costs more than the cap', async () => {
    const poor = new ViemSettlementChain({ client: chain.client, network: NETWORK, signers: [keySigner(randomKey())] });
    const items = [await itemOf(await newPayer(), randomHex(20))];
    expect(await poor.gasBalance(poor.settlers[0]!)).toBe(0n);
    expect(await poor.broadcast(await poor.sign(chain.token, items, firstOf(poor)))).toMatchObject({ kind: 'refused' });
    await expect(settlement.sign(chain.token, items, firstOf(poor))).rejects.toThrow(RangeError);
    await expect(settlementWith({ maxFeePerGas: 1n }).sign(chain.token, items, await nextSlot())).rejects.toThrow(
      ChainUnavailable,
    );
  });
});

it('says of every call that the chain is unavailable when nobody answers', async () => {
  const client = createChainClient({ rpcUrl: `http://127.0.0.1:${await freePort()}`, timeoutMs: 500 });
  const down = new ViemSettlementChain({ client, network: NETWORK, signers: [keySigner(randomKey())], pollMs: 10 });
  const item: SettlementItem = {
    authorization: authorizationOf(randomHex(20), randomHex(20), 1n),
    signature: randomHex(65),
  };
  const calls: readonly (() => Promise<unknown>)[] = [
    () => down.minedNonce(randomHex(20)),
    () => down.fees(),
    () => down.gasPrices(),
    () => down.gasBalance(randomHex(20)),
    () => down.sign(chain.token, [item], firstOf(down)),
    () => down.broadcast({ raw: '0x02' }),
    () => down.transactionOutcome(randomHex(32)),
    () => down.waitForNonce(firstOf(down), 1),
    () => down.authorizationOutcome(chain.token, randomHex(20), randomHex(32)),
    () => down.refusalOf(chain.token, item),
    () => down.head(),
  ];
  for (const call of calls) await expect(call()).rejects.toThrow(ChainUnavailable);
});
