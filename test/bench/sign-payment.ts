import { randomBytes } from 'node:crypto';
import secp256k1 from 'secp256k1';
import { mnemonicToAccount } from 'viem/accounts';
import { authorizationDigest } from '../../src/base/chain/eip3009.js';
import type { Hex, Network } from '../../src/base/shared/hex.js';
import { parseAddress } from '../../src/base/shared/hex.js';

export interface Payer {
  readonly address: Hex;
  readonly key: Uint8Array;
}

interface Accept {
  readonly network: Network;
  readonly amount: string;
  readonly asset: string;
  readonly payTo: string;
  readonly maxTimeoutSeconds: number;
  readonly extra: { readonly name: string; readonly version: string };
}

const TEST_MNEMONIC = 'test test test test test test test test test test test junk';
const USDC_DECIMALS = 6;

/** The last `count` of the ten test accounts that hold USDC on the local chain. */
export function testPayers(count: number): Payer[] {
  return Array.from({ length: count }, (_, index) => {
    const account = mnemonicToAccount(TEST_MNEMONIC, { addressIndex: 9 - index });
    return { address: account.address.toLowerCase() as Hex, key: account.getHdKey().privateKey! };
  });
}

/**
 * Value of `PAYMENT-SIGNATURE` for the first accept of a `PAYMENT-REQUIRED` header: what the official client answers,
 * signed with native code so that thousands can be prepared in a second.
 */
export function signPayment(offer: string, payer: Payer, nowSeconds: number): string {
  const { resource, accepts, extensions } = JSON.parse(Buffer.from(offer, 'base64').toString());
  const accepted: Accept = accepts[0];
  const validBefore = nowSeconds + accepted.maxTimeoutSeconds;
  const authorization = {
    from: payer.address,
    to: parseAddress(accepted.payTo)!,
    value: BigInt(accepted.amount),
    validAfter: 0n,
    validBefore: BigInt(validBefore),
    nonce: `0x${randomBytes(32).toString('hex')}` as Hex,
  };
  const digest = authorizationDigest(tokenOf(accepted), authorization);
  const { signature, recid } = secp256k1.ecdsaSign(digest, payer.key);
  const payload = {
    signature: `0x${Buffer.from(signature).toString('hex')}${(27 + recid).toString(16)}`,
    authorization: { ...authorization, value: accepted.amount, validAfter: '0', validBefore: String(validBefore) },
  };
  return Buffer.from(JSON.stringify({ x402Version: 2, payload, extensions, resource, accepted })).toString('base64');
}

/** One object per token, as its domain separator is cached by identity. */
const tokens = new Map<string, Parameters<typeof authorizationDigest>[0]>();

function tokenOf({ network, asset, extra }: Accept) {
  const key = `${network}/${asset}/${extra.name}/${extra.version}`;
  let token = tokens.get(key);
  if (token === undefined) {
    const { name, version } = extra;
    token = { network, address: parseAddress(asset)!, name, version, decimals: USDC_DECIMALS };
    tokens.set(key, token);
  }
  return token;
}
