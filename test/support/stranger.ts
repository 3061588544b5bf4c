import { createPublicClient, createWalletClient, http } from 'viem';
import { transferCallData } from '../../src/base/chain/eip3009.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { testAccount } from './buyer.js';
import type { Payload } from './payment.js';

/** Sends somebody's signed transfer to the token, at the expense of a test account; resolves when it is mined. */
export async function broadcast(chainUrl: string, asset: Address, { authorization, signature }: Payload): Promise<Hex> {
  const { value, validAfter, validBefore, ...rest } = authorization;
  const amounts = { value: BigInt(value), validAfter: BigInt(validAfter), validBefore: BigInt(validBefore) };
  const data = transferCallData({ authorization: { ...rest, ...amounts }, signature });
  const wallet = createWalletClient({ account: testAccount(9), transport: http(chainUrl) });
  const hash = await wallet.sendTransaction({ to: asset, data, chain: null, gas: 300_000n });
  const client = createPublicClient({ transport: http(chainUrl), pollingInterval: 50 });
  const { status } = await client.waitForTransactionReceipt({ hash });
  if (status !== 'success') throw new Error(`the token refused ${hash}`);
  return hash;
}
