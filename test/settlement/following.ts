import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { encodeFunctionData, erc20Abi, parseAbi, type TransactionSerializableEIP1559 } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import type { ChainClient } from '../../src/base/chain/chain-client.js';
import { transferCallData } from '../../src/base/chain/eip3009.js';
import { balanceOf } from '../../src/base/chain/token-calls.js';
import { LogTail } from '../../src/base/event-store/log-tail.js';
import { ProjectionRunner } from '../../src/base/event-store/projection-runner.js';
import { systemClock } from '../../src/base/shared/clock.js';
import type { Address, Hex, Network } from '../../src/base/shared/hex.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import type { PaymentId } from '../../src/domains/payments/payment.js';
import { tenantStream } from '../../src/domains/pricing/publication.js';
import type { Reconciler } from '../../src/domains/settlement/reconciler.js';
import { assembleReconciler } from '../../src/domains/settlement/reconciler-parts.js';
import { QUEUE_PREFIX, queueNameOf } from '../../src/domains/settlement/settlement.queue.js';
import { upcast } from '../../src/event-catalogue.js';
import { addressOf, type LocalChain, randomHex, randomKey, walletAt } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { mintUsdc } from '../support/usdc.js';
import { checksOf, run } from '../verify/checks.js';
import { type Delivered, type Desk, log, openDesk } from './support.js';

const cancelAbi = parseAbi(['function cancelAuthorization(address authorizer, bytes32 nonce, bytes signature)']);
const CAUGHT_UP_MS = 20_000;

/** A desk with the ledger, a tenant, and the key of its wallet, which has gas. */
export interface Shop extends Desk {
  readonly owner: PrivateKeyAccount;
  readonly payee: Address;
}

export async function openShop(chain: LocalChain): Promise<Shop> {
  const desk = await openDesk();
  const owner = await withGas(chain);
  const payee = addressOf(owner);
  const tail = new LogTail(desk.databaseUrl, log);
  await tail.start();
  const ledger = new ProjectionRunner(desk.pool, tail, ledgerProjection(upcast), log, upcast);
  ledger.start();
  const close = async () => {
    await ledger.stop();
    await tail.stop();
    await desk.close();
  };
  const shop = { ...desk, owner, payee, close };
  await register(shop, chain, 'demo', payee);
  return shop;
}

export async function withGas(chain: LocalChain): Promise<PrivateKeyAccount> {
  const account = privateKeyToAccount(randomKey());
  await chain.node.setBalance({ address: account.address, value: 10n ** 20n });
  return account;
}

/** A tenant is paid at this wallet from now on. */
export async function register(
  { store }: Pick<Desk, 'store'>,
  { token }: LocalChain,
  id: string,
  payee: Address,
  version = 0,
): Promise<void> {
  const data = {
    ...{ id, host: `${id}.example`, upstream: 'http://127.0.0.1:9', allowPrivateUpstream: true, payee },
    ...{ network: token.network, asset: token.address, upstreamSecretFingerprint: 'f' },
  };
  const { upstreamSecretFingerprint: _, ...shown } = data;
  const row = {
    ...{ id, host: data.host, upstream: data.upstream, upstream_secret: 's', allow_private_upstream: true },
    ...{ payee, network: shown.network, asset: shown.asset, revision: version + 1 },
  };
  await store.append({
    stream: tenantStream(id),
    tenant: id,
    expectedVersion: version,
    decide: () => ({
      events: [{ type: 'TenantRegistered', schema: 1, data }],
      attachments: [{ table: 'tenants', row }],
    }),
  });
}

export interface ReconcilerOptions {
  readonly client?: ChainClient;
  readonly pool?: Desk['pool'];
  readonly store?: Pick<Desk['store'], 'append' | 'readStreams'>;
  readonly earlierSeconds?: bigint;
  readonly hurried?: PaymentId[];
  readonly verifyOthers?: () => Promise<void>;
}

/** The reconciler alone: nothing is settled. */
export function reconcilerOf(desk: Desk, chain: LocalChain, options: ReconcilerOptions = {}): Reconciler {
  const { client = chain.client, earlierSeconds, hurried, pool = desk.pool, store = desk.store } = options;
  const { verifyOthers = async () => undefined } = options;
  return assembleReconciler({
    ...{ client, earlierSeconds, pool, store, log, network: chain.token.network, clock: systemClock },
    hurry: async (ids) => void hurried?.push(...ids),
    verifyOthers,
  });
}

/** Turns until everything up to the newest block is read. */
export async function follow(reconciler: Reconciler): Promise<void> {
  for (let turn = 0; turn < 200; turn++) if (!(await reconciler.step())) return;
  throw new Error('the reconciler does not come to an end');
}

/** True when the newest block is read, and the ledger has all events. */
export async function caughtUp({ pool }: Desk, chain: LocalChain): Promise<true> {
  return eventually(async () => {
    const head = await chain.client.getBlock({ blockTag: 'latest' });
    const { rows } = await pool.query<{ end: [string, Hex] | null; behind: string }>(
      `select recent->-1 as end, (select (select max(position) from events) - position from projection_checkpoints
         where name = 'ledger')::text as behind
       from chain_checkpoints`,
    );
    const { behind, end } = rows[0]!;
    return end?.[0] === head.number.toString() && end[1] === head.hash && behind === '0';
  }, CAUGHT_UP_MS);
}

/** What the ledger has, over all tenants, by kind of account; those with nothing in them are left out. */
export async function books({ pool }: Desk): Promise<Record<string, bigint>> {
  const { rows } = await pool.query<{ kind: string; sum: string }>(
    `select kind, sum(debits_posted - credits_posted)::text as sum from ledger_accounts
     group by kind having sum(debits_posted - credits_posted) <> 0 order by kind`,
  );
  return Object.fromEntries(rows.map(({ kind, sum }) => [kind, BigInt(sum)]));
}

/** To the atomic unit, for each wallet that is followed. */
export async function expectBooksEqualChain(desk: Desk, chain: LocalChain): Promise<void> {
  const { rows } = await desk.pool.query<{ wallet: Address; booked: string }>(
    `select w.wallet, coalesce(sum(a.debits_posted - a.credits_posted), 0)::text as booked
     from chain_wallets w left join ledger_accounts a on a.kind = 'wallet' and a.party = w.wallet group by w.wallet`,
  );
  const held = await Promise.all(rows.map(({ wallet }) => balanceOf(chain.client, chain.token, wallet)));
  expect(rows.map(({ booked, wallet }) => [wallet, BigInt(booked)])).toEqual(
    rows.map(({ wallet }, n) => [wallet, held[n]]),
  );
}

/** `npm run verify`, as far as money goes. */
export async function verified({ pool }: Desk, { client, token }: LocalChain): Promise<void> {
  for (const check of checksOf({ chain: { client, token } as LocalChain, witnessPath: '' }, ['ledger', 'chain'])) {
    const { differences, gaps, notes } = await run(check, pool);
    expect([...differences, ...gaps, ...notes]).toEqual([]);
  }
}

/** Types of the events of wallets and their transfers, in their order. */
export async function happened({ pool }: Desk): Promise<string[]> {
  const { rows } = await pool.query<{ type: string }>(
    `select type from events where stream like 'transfer/%' or stream like 'wallet/%' order by position`,
  );
  return rows.map(({ type }) => type);
}

/** Resolves when mined. */
export async function send(chain: LocalChain, from: PrivateKeyAccount, data: Hex): Promise<Hex> {
  const wallet = walletAt(chain.rpcUrl, from);
  const hash = await wallet.sendTransaction({ chain: null, to: chain.token.address, data, gas: 300_000n });
  await eventually(async () => (await chain.node.getTransactionReceipt({ hash })).status === 'success');
  return hash;
}

export function transfer(chain: LocalChain, from: PrivateKeyAccount, to: Address, amount: bigint): Promise<Hex> {
  return send(chain, from, encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, amount] }));
}

/** A transfer that can be sent again after a reorganization has removed it. */
export async function signTransfer(
  chain: LocalChain,
  from: PrivateKeyAccount,
  to: Address,
  amount: bigint,
): Promise<Hex> {
  const wallet = walletAt(chain.rpcUrl, from);
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, amount] });
  const request = await wallet.prepareTransactionRequest({ chain: null, to: chain.token.address, data, gas: 300_000n });
  const chainId = Number(chain.token.network.slice(7));
  return from.signTransaction({ ...request, chainId, type: 'eip1559' } as TransactionSerializableEIP1559);
}

/** Resolves when mined. */
export async function sendRaw(chain: LocalChain, raw: Hex): Promise<Hex> {
  const hash = await chain.node.request({ method: 'eth_sendRawTransaction', params: [raw] } as never);
  await eventually(async () => (await chain.node.getTransactionReceipt({ hash })).status === 'success');
  return hash;
}

/** As anybody can who has seen the signature. */
export function broadcast(
  chain: LocalChain,
  by: PrivateKeyAccount,
  { authorization, signature }: Delivered,
): Promise<Hex> {
  return send(chain, by, transferCallData({ authorization, signature }));
}

export async function cancel(chain: LocalChain, payer: PrivateKeyAccount, nonce: Hex): Promise<Hex> {
  const { address, name, network, version } = chain.token;
  const signature = await payer.signTypedData({
    domain: { name, version, chainId: Number(network.slice(7)), verifyingContract: address },
    types: {
      CancelAuthorization: [
        { name: 'authorizer', type: 'address' },
        { name: 'nonce', type: 'bytes32' },
      ],
    },
    primaryType: 'CancelAuthorization',
    message: { authorizer: payer.address, nonce },
  });
  const args = [payer.address, nonce, signature] as const;
  return send(
    chain,
    await withGas(chain),
    encodeFunctionData({ abi: cancelAbi, functionName: 'cancelAuthorization', args }),
  );
}

/** Of that many blocks; the transactions in them are gone, and not sent again by anybody. */
export async function reorganize(chain: LocalChain, depth: number): Promise<void> {
  await chain.node.request({ method: 'anvil_reorg' as never, params: [depth, []] as never });
}

export async function rich(chain: LocalChain, amount = 1_000_000n): Promise<PrivateKeyAccount> {
  const account = await withGas(chain);
  await mintUsdc(chain.rpcUrl, addressOf(account), amount);
  return account;
}

export const someone = (): Address => randomHex(20);

/** How long a payment's job waits until it is tried again, in milliseconds; 0 if it does not. */
export async function pauseOf({ redisUrl }: Desk, network: Network, id: PaymentId): Promise<number> {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue(queueNameOf(network), { connection, prefix: QUEUE_PREFIX });
  const job = await queue.getJob(id);
  const pause = job && (await job.isDelayed()) ? job.delay : 0;
  await queue.close();
  connection.disconnect();
  return pause;
}
