import { mintCallData, sendAsAdmin } from '../../src/base/embedded/usdc.js';
import type { Address } from '../../src/base/shared/hex.js';

/** Mints USDC (atomic units) on the embedded chain. */
export async function mintUsdc(rpcUrl: string, to: Address, amount: bigint): Promise<void> {
  await sendAsAdmin(rpcUrl, [mintCallData(to, amount)]);
}
