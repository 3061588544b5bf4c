import { inspect } from 'node:util';
import { recoverTransactionAddress } from 'viem';
import type { Token, TransferAuthorization } from './chain.js';
import { authorizationDigest, authorizationTypedData, recoverSigner } from './eip3009.js';
import { keySigner } from './signer.js';

const KEY = `0x${'a1b2'.repeat(16)}` as const;

describe('keySigner', () => {
  it('signs as its address', async () => {
    const signer = keySigner(KEY);
    const raw = await signer.signTransaction({ chainId: 84_532, nonce: 7, gas: 21_000n, maxFeePerGas: 5n });
    const from = await recoverTransactionAddress({ serializedTransaction: raw as `0x02${string}` });
    expect(from.toLowerCase()).toBe(signer.address);
  });

  it('signs an authorization as the token reads it', async () => {
    const signer = keySigner(KEY);
    const token: Token = {
      network: 'eip155:84532',
      address: `0x${'cc'.repeat(20)}`,
      name: 'USDC',
      version: '2',
      decimals: 6,
    };
    const authorization: TransferAuthorization = {
      ...{ from: signer.address, to: `0x${'aa'.repeat(20)}`, value: 400n, validAfter: 0n, validBefore: 2n ** 40n },
      nonce: `0x${'7e'.repeat(32)}`,
    };
    const signature = await signer.signTypedData(authorizationTypedData(token, authorization));
    expect(recoverSigner(authorizationDigest(token, authorization), signature)).toBe(signer.address);
  });

  it('does not show its key', () => {
    const signer = keySigner(KEY);
    expect(inspect(signer, { depth: 9, showHidden: true }) + JSON.stringify(signer)).not.toContain('a1b2a1b2');
  });
});
