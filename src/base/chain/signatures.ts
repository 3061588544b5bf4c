import type { Hex } from '../shared/hex.js';
import type { SignatureVerdict, Token, TransferAuthorization } from './chain.js';
import type { ChainClient } from './chain-client.js';
import { authorizationDigest, recoverSigner } from './eip3009.js';
import { refusalOfTransfer } from './token-calls.js';

/** ERC-6492 marks a wrapped signature with these last 32 bytes. Unwrapping would call a contract of the payer's choice. */
const WRAPPED = '6492'.repeat(16);
/** Far above any wallet's signature; bounds what is sent to the node. */
const MAX_SIGNATURE_BYTES = 4_096;
const BYTES = /^0x(?:[0-9a-fA-F]{2})+$/;

const valid: SignatureVerdict = { valid: true };
const malformed: SignatureVerdict = { valid: false, reason: 'malformed_signature' };
const wrongSigner: SignatureVerdict = { valid: false, reason: 'wrong_signer' };
const rejected: SignatureVerdict = { valid: false, reason: 'rejected_by_wallet' };

/** Signature of a payer without code, by the rules of the token's ECRecover. Pure computation. */
export function checkEcdsa(token: Token, authorization: TransferAuthorization, signature: Hex): SignatureVerdict {
  const signer = recoverSigner(authorizationDigest(token, authorization), signature);
  if (signer === undefined) return malformed;
  return signer === authorization.from ? valid : wrongSigner;
}

export interface SignatureCheck {
  readonly token: Token;
  readonly authorization: TransferAuthorization;
  readonly signature: Hex;
  /** Whether the payer's address has code, EIP-7702 delegations included (`PayerState.hasCode`). */
  readonly hasCode: boolean;
  /** What `checkEcdsa` said: it costs no call, so it was asked first. */
  readonly ecdsa: SignatureVerdict;
  readonly client: ChainClient;
}

/**
 * Routes as the token does: no code at the payer means ECDSA alone, code means the account alone is asked (ERC-1271).
 * An account is asked anew each time, since its answer may change with any block.
 * Throws ChainUnavailable if an account cannot be asked.
 */
export async function checkSignature(check: SignatureCheck): Promise<SignatureVerdict> {
  return check.hasCode ? checkWallet(check) : check.ecdsa;
}

/**
 * The account is asked through the token, by executing the transfer itself: `isValidSignature` called directly would
 * not run under STATICCALL from the token, and so could accept what the token refuses.
 */
async function checkWallet({ token, authorization, signature, client }: SignatureCheck): Promise<SignatureVerdict> {
  if (signature.length > 2 + 2 * MAX_SIGNATURE_BYTES || !BYTES.test(signature)) return malformed;
  if (signature.toLowerCase().endsWith(WRAPPED)) return malformed;
  const refusal = await refusalOfTransfer(client, token, { authorization, signature });
  return refusal === undefined ? valid : rejected;
}
