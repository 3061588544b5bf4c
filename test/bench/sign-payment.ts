import { randomBytes, randomInt } from 'node:crypto';
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
  return payment(offer, payer.address, nowSeconds, (digest) => {
    const { signature, recid } = secp256k1.ecdsaSign(digest, payer.key);
    return `0x${Buffer.from(signature).toString('hex')}${(27 + recid).toString(16)}`;
  });
}

/** The same with a signature that is none, in the name of the payer or of somebody nobody knows. */
export function forgePayment(offer: string, payer: Payer, nowSeconds: number): string {
  const name = randomInt(2) === 0 ? payer.address : (`0x${randomBytes(20).toString('hex')}` as const);
  return payment(offer, name, nowSeconds, () => `0x${randomBytes(64).toString('hex')}1b`);
}

function payment(offer: string, from: Hex, nowSeconds: number, sign: (digest: Buffer) => Hex): string {
  const { resource, accepts, extensions } = JSON.parse(Buffer.from(offer, 'base64').toString());
  const accepted: Accept = accepts[0];
  const validBefore = nowSeconds + accepted.maxTimeoutSeconds;
  const authorization = {
    from,
    to: parseAddress(accepted.payTo)!,
    value: BigInt(accepted.amount),
    validAfter: 0n,
    validBefore: BigInt(validBefore),
    nonce: `0x${randomBytes(32).toString('hex')}` as Hex,
  };
  const payload = {
    signature: sign(authorizationDigest(tokenOf(accepted), authorization)),
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
