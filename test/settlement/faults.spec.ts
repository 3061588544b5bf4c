import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { encodeFunctionData, parseAbi } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { ChainUnavailable, type SettlementChain } from '../../src/base/chain/chain.js';
import { transferCallData } from '../../src/base/chain/eip3009.js';
import { ViemSettlementChain } from '../../src/base/chain/settlement-chain.js';
import { keySigner } from '../../src/base/chain/signer.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { settlementItem } from '../../src/domains/settlement/settlement.sender.js';
import { PostgresTransactionBook } from '../../src/domains/settlement/settlement-transactions.js';
import { recordNext } from '../../src/domains/settlement/settler-nonces.js';
import {
  addressOf,
  type LocalChain,
  randomKey,
  signAuthorization,
  startLocalChain,
  walletAt,
} from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { processScript } from '../support/process-script.js';
import { mintUsdc } from '../support/usdc.js';
import {
  allAre,
  type Delivered,
  type Desk,
  deliver,
  gasBooked,
  heldBy,
  newPayer,
  openDesk,
  probationOf,
  startWorker,
  stateOf,
  transfersFrom,
} from './support.js';

const ELSEWHERE: Address = '0x7011b00c000000000000000000000000000000bb';
const LONG_MS = 30_000;
const cancelAbi = parseAbi(['function cancelAuthorization(address authorizer, bytes32 nonce, bytes signature)']);

let chain: LocalChain;
let desk: Desk;
let stranger: PrivateKeyAccount;

beforeAll(async () => {
  chain = await startLocalChain();
  stranger = privateKeyToAccount(randomKey());
  await chain.node.setBalance({ address: stranger.address, value: 10n ** 20n });
});
afterAll(() => chain.stop());
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk.close());

async function broadcast(data: Hex): Promise<void> {
  const wallet = walletAt(chain.rpcUrl, stranger);
  const hash = await wallet.sendTransaction({ chain: null, to: chain.token.address, data });
  const receipt = await chain.client.waitForTransactionReceipt({ hash });
  expect(receipt.status).toBe('success');
}

function settlerGas(): Promise<bigint> {
  return chain.client.getBalance({ address: chain.settler });
}

/** Runs one worker until all payments stand as asked. */
async function settleUntil(
  status: 'settled' | 'settlement_failed',
  ids: Delivered['id'][],
  options = {},
): Promise<void> {
  const worker = await startWorker(desk, chain, options);
  try {
    await eventually(() => allAre(desk, status, ids), LONG_MS);
  } finally {
    await worker.stop();
  }
}

describe('what payers and strangers do', () => {
  it('refuses a drained payer for good in mode after', async () => {
    const payer = await newPayer(chain, 0n);
    const rich = await newPayer(chain, 10_000n);
    const [broke, fine] = await Promise.all([
      deliver(desk, chain, payer, { mode: 'after' }),
      deliver(desk, chain, rich, { mode: 'after' }),
    ]);
    await settleUntil('settlement_failed', [broke.id]);
    expect(await stateOf(desk, broke.id)).toMatchObject({ failed: { reason: 'insufficient_funds' } });
    await mintUsdc(chain.rpcUrl, addressOf(payer), 10_000n);
    await settleUntil('settled', [fine.id]);
    expect(await transfersFrom(chain, addressOf(payer))).toBe(0);
  });

  it('tries a drained payer again in mode async', async () => {
    const payer = await newPayer(chain, 0n);
    const { id } = await deliver(desk, chain, payer, { mode: 'async' });
    const worker = await startWorker(desk, chain);
    try {
      await eventually(() => allAre(desk, 'submitted', [id]));
      await mintUsdc(chain.rpcUrl, addressOf(payer), 1_000n);
      await eventually(() => allAre(desk, 'settled', [id]), LONG_MS);
    } finally {
      await worker.stop();
    }
  });

  it('gives up when the authorization has expired, and keeps counting it', async () => {
    const payer = await newPayer(chain, 0n);
    const validBefore = BigInt(Math.floor(Date.now() / 1000) + 5);
    const { id } = await deliver(desk, chain, payer, { mode: 'async', validBefore });
    await settleUntil('settlement_failed', [id], { clock: () => Date.now() + 120_000 });
    expect(await stateOf(desk, id)).toMatchObject({ failed: { reason: 'authorization_expired' } });
    expect(await heldBy(desk, addressOf(payer))).toBe('1000');
  });

  it('fails a cancelled authorization', async () => {
    const payer = await newPayer(chain, 10_000n);
    const { authorization, id } = await deliver(desk, chain, payer, { mode: 'async' });
    const { address, name, version } = chain.token;
    const signature = await payer.signTypedData({
      domain: { name, version, chainId: 84_532, verifyingContract: address },
      types: {
        CancelAuthorization: [
          { name: 'authorizer', type: 'address' },
          { name: 'nonce', type: 'bytes32' },
        ],
      },
      primaryType: 'CancelAuthorization',
      message: { authorizer: authorization.from, nonce: authorization.nonce },
    });
    const args = [authorization.from, authorization.nonce, signature] as const;
    await broadcast(encodeFunctionData({ abi: cancelAbi, functionName: 'cancelAuthorization', args }));
    await settleUntil('settlement_failed', [id]);
    expect(await stateOf(desk, id)).toMatchObject({ failed: { reason: 'authorization_cancelled' } });
    expect(await probationOf(desk, addressOf(payer))).toBe('10');
    const next = await deliver(desk, chain, payer, { mode: 'after' });
    await settleUntil('settled', [next.id]);
    expect(await probationOf(desk, addressOf(payer))).toBe('9');
  });

  it("counts a stranger's broadcast as paid", async () => {
    const payer = await newPayer(chain, 10_000n);
    const { authorization, id, signature } = await deliver(desk, chain, payer, { mode: 'after' });
    await broadcast(transferCallData({ authorization, signature }));
    await settleUntil('settled', [id]);
    expect(await stateOf(desk, id)).toMatchObject({ settled: { by: 'other' } });
    expect(await transfersFrom(chain, addressOf(payer))).toBe(1);
  });

  it('does not take a payment to somebody else for its own', async () => {
    const payer = await newPayer(chain, 10_000n);
    const { authorization, id } = await deliver(desk, chain, payer, { mode: 'async' });
    const other = { ...authorization, to: ELSEWHERE };
    const signature = await signAuthorization(payer, chain.token, other);
    await broadcast(transferCallData({ authorization: other, signature }));
    await settleUntil('settlement_failed', [id]);
    expect(await stateOf(desk, id)).toMatchObject({ failed: { reason: 'nonce_used_elsewhere' } });
    expect(await transfersFrom(chain, addressOf(payer))).toBe(0);
  });
});

describe('what machines do', () => {
  it('takes a timeout for unknown, never for failed', async () => {
    const payer = await newPayer(chain, 10_000n);
    const { id } = await deliver(desk, chain, payer, { mode: 'after' });
    let timeouts = 0;
    const wrap = (inner: SettlementChain): SettlementChain =>
      new Proxy(inner, {
        get(target, key) {
          const value = Reflect.get(target, key);
          if (typeof value !== 'function') return value;
          if (key !== 'broadcast') return value.bind(target);
          return async (...args: Parameters<SettlementChain['broadcast']>) => {
            await target.broadcast(...args);
            timeouts++;
            throw new ChainUnavailable('the answer was lost');
          };
        },
      });
    await settleUntil('settled', [id], { wrap });
    expect(timeouts).toBeGreaterThan(0);
    expect(await transfersFrom(chain, addressOf(payer))).toBe(1);
  });

  it('finishes what a worker signed before it died, and leaves no nonce open', async () => {
    const payer = await newPayer(chain, 10_000n);
    const first = await deliver(desk, chain, payer, { mode: 'async' });
    const dead = new ViemSettlementChain({
      client: chain.client,
      network: chain.token.network,
      signers: [keySigner(chain.settlerKey)],
    });
    const parts = [settlementItem(await stateOf(desk, first.id), first.signature)];
    const book = new PostgresTransactionBook(desk.pool, chain.token.network);
    const signed = await recordNext(dead, { choose: async () => chain.settler }, book, [first.id], (slot) =>
      dead.sign(chain.token, parts, slot),
    );
    const second = await deliver(desk, chain, payer, { mode: 'async' });
    await settleUntil('settled', [first.id, second.id]);
    expect(await stateOf(desk, first.id)).toMatchObject({ settled: { transaction: signed!.hash, by: 'settler' } });
    expect(await transfersFrom(chain, addressOf(payer))).toBe(2);
  });

  it('survives a worker killed with work in hand', async () => {
    const payer = await newPayer(chain, 1_000_000n);
    const gas = await settlerGas();
    const sold = await Promise.all(Array.from({ length: 30 }, () => deliver(desk, chain, payer, { mode: 'async' })));
    const ids = sold.map(({ id }) => id);
    const script = processScript('test/settlement/worker-process');
    const urls = [desk.databaseUrl, desk.redisUrl, chain.rpcUrl, chain.settlerKey];
    const child = spawn(process.execPath, [script, ...urls], { stdio: 'inherit' });
    const signed = () => desk.pool.query('select 1 from settlement_transactions limit 1');
    await eventually(async () => (await signed()).rowCount === 1, LONG_MS).finally(() => child.kill('SIGKILL'));
    await once(child, 'exit');
    await settleUntil('settled', ids);
    expect(await transfersFrom(chain, addressOf(payer))).toBe(30);
    expect(await gasBooked(desk)).toBe(gas - (await settlerGas()));
  });

  it('settles again what the chain rolled back', async () => {
    const payer = await newPayer(chain, 10_000n);
    const gas = await settlerGas();
    const worker = await startWorker(desk, chain);
    try {
      const { id } = await deliver(desk, chain, payer, { mode: 'async' });
      await eventually(() => allAre(desk, 'settled', [id]));
      await chain.node.request({ method: 'anvil_rollback', params: [1] } as never);
      expect(await transfersFrom(chain, addressOf(payer))).toBe(0);
      await eventually(async () => (await transfersFrom(chain, addressOf(payer))) === 1, LONG_MS);
      await eventually(() => allAre(desk, 'settled', [id]), LONG_MS);
      const events = await desk.store.readStream(`payment/${id}`);
      expect(events.map(({ type }) => type).slice(2)).toEqual([
        'SettlementSubmitted',
        'PaymentSettled',
        'SettlementReverted',
        'PaymentSettled',
      ]);
      expect(await heldBy(desk, addressOf(payer))).toBe('0');
      expect(await gasBooked(desk)).toBe(gas - (await settlerGas()));
    } finally {
      await worker.stop();
    }
  });
});
