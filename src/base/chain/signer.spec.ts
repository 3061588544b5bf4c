import { inspect } from 'node:util';
import { recoverTransactionAddress } from 'viem';
import { keySigner } from './signer.js';

const KEY = `0x${'a1b2'.repeat(16)}` as const;

describe('keySigner', () => {
  it('signs as its address', async () => {
    const signer = keySigner(KEY);
    const raw = await signer.signTransaction({ chainId: 84_532, nonce: 7, gas: 21_000n, maxFeePerGas: 5n });
    const from = await recoverTransactionAddress({ serializedTransaction: raw as `0x02${string}` });
    expect(from.toLowerCase()).toBe(signer.address);
  });

  it('does not show its key', () => {
    const signer = keySigner(KEY);
    expect(inspect(signer, { depth: 9, showHidden: true }) + JSON.stringify(signer)).not.toContain('a1b2a1b2');
  });
});
