import { createTestClient, type Hex, http, publicActions } from 'viem';
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
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

/** How many payers the payments of the second batch come from. */
const FEW = 8;

export interface GasPerPayment {
  readonly batch: number;
  readonly single: number;
  /** Each payment by another payer. */
  readonly batched: number;
  readonly few: number;
  /** The payments of `few` payers, who pay several times each. */
  readonly batchedOfFew: number;
}

/** Gas of one transfer by itself, and of each in a batch of 40, by their receipts. Every payer keeps some money. */
export async function gasPerPayment(rpcUrl: string): Promise<GasPerPayment> {
  const node = createTestClient({ mode: 'anvil', transport: http(rpcUrl) }).extend(publicActions);
  const token = await loadToken(createChainClient({ rpcUrl }), NETWORK, USDC_ADDRESS);
  await node.setBalance({ address: SENDER, value: 10n ** 20n });
  const payers = Array.from({ length: BATCH + 2 }, () => privateKeyToAccount(generatePrivateKey()));
  await sendAsAdmin(
    rpcUrl,
    payers.map((payer) => mintCallData(addressOf(payer), BigInt(2 * BATCH) * VALUE)),
  );
  const spend = async (to: Address, data: Hex) => {
    const hash = await node.sendUnsignedTransaction({ from: SENDER, to, data, gas: GAS });
    const { gasUsed, logs, status } = await node.waitForTransactionReceipt({ hash });
    if (status !== 'success') throw new Error(`transaction ${hash} failed`);
    return { gas: Number(gasUsed), logs: logs.length };
  };
  const [first, alone, ...others] = await Promise.all(payers.map((payer) => itemBy(token, payer)));
  // The first payment to a payee costs more, on either side.
  await spend(token.address, transferCallData(first!));
  const single = await spend(token.address, transferCallData(alone!));
  const batchOf = async (items: readonly SettlementItem[]) => {
    const { gas, logs } = await spend(MULTICALL3, batchCallData(token, items));
    if (logs !== BATCH * single.logs) throw new Error('a transfer in the batch failed');
    return gas / BATCH;
  };
  const batched = await batchOf(others);
  const ofFew = Array.from({ length: BATCH }, (_, n) => itemBy(token, payers[n % FEW]!));
  const batchedOfFew = await batchOf(await Promise.all(ofFew));
  return { batch: BATCH, single: single.gas, batched, few: FEW, batchedOfFew };
}

async function itemBy(token: Token, payer: PrivateKeyAccount): Promise<SettlementItem> {
  const authorization = authorizationOf(addressOf(payer), PAYEE, VALUE);
  return { authorization, signature: await signAuthorization(payer, token, authorization) };
}
