import { createTestClient, type Hex, http, publicActions } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { SettlementItem, Token } from '../../src/base/chain/chain.js';
import { createChainClient } from '../../src/base/chain/chain-client.js';
import { batchCallData, transferCallData } from '../../src/base/chain/eip3009.js';
import { MULTICALL3 } from '../../src/base/chain/settlement-chain.js';
import { loadToken } from '../../src/base/chain/tokens.js';
import { mintCallData, sendAsAdmin, USDC_ADDRESS } from '../../src/base/embedded/usdc.js';
import type { Address } from '../../src/base/shared/hex.js';
import { addressOf, authorizationOf, signAuthorization } from '../chain/support.js';

const NETWORK = 'eip155:84532';
const BATCH = 40;
const VALUE = 1_000n;
const GAS = 15_000_000n;
/** Anybody may broadcast an authorization. */
const SENDER: Address = '0x7011b00c00000000000000000000000000000003';
const PAYEE: Address = '0x7011b00c00000000000000000000000000000004';

export interface GasPerPayment {
  readonly batch: number;
  readonly single: number;
  readonly batched: number;
}

/**
 * Gas of one transfer by itself, and of each in a batch of 40, by their receipts. Every payer is another one, and keeps some
 * money: with fewer of them in a batch each costs less.
 */
export async function gasPerPayment(rpcUrl: string): Promise<GasPerPayment> {
  const node = createTestClient({ mode: 'anvil', transport: http(rpcUrl) }).extend(publicActions);
  const token = await loadToken(createChainClient({ rpcUrl }), NETWORK, USDC_ADDRESS);
  await node.setBalance({ address: SENDER, value: 10n ** 20n });
  const items = await Promise.all(Array.from({ length: BATCH + 2 }, () => itemFor(token)));
  await sendAsAdmin(
    rpcUrl,
    items.map(({ authorization }) => mintCallData(authorization.from, 2n * VALUE)),
  );
  const spend = async (to: Address, data: Hex) => {
    const hash = await node.sendUnsignedTransaction({ from: SENDER, to, data, gas: GAS });
    const { gasUsed, logs, status } = await node.waitForTransactionReceipt({ hash });
    if (status !== 'success') throw new Error(`transaction ${hash} failed`);
    return { gas: Number(gasUsed), logs: logs.length };
  };
  const [first, alone, ...others] = items as [SettlementItem, SettlementItem, ...SettlementItem[]];
  // The first payment to a payee costs more, on either side.
  await spend(token.address, transferCallData(first));
  const single = await spend(token.address, transferCallData(alone));
  const batch = await spend(MULTICALL3, batchCallData(token, others));
  if (batch.logs !== BATCH * single.logs) throw new Error('a transfer in the batch failed');
  return { batch: BATCH, single: single.gas, batched: batch.gas / BATCH };
}

async function itemFor(token: Token): Promise<SettlementItem> {
  const payer = privateKeyToAccount(generatePrivateKey());
  const authorization = authorizationOf(addressOf(payer), PAYEE, VALUE);
  return { authorization, signature: await signAuthorization(payer, token, authorization) };
}
