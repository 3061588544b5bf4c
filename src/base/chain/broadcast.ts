import type { BroadcastResult } from './chain.js';

const SAYS: readonly (readonly [RegExp, BroadcastResult['kind']])[] = [
  [/already (known|imported|in (the )?(mem)?pool)|known transaction/i, 'already_known'],
  [/nonce( is)? too low|nonce already used/i, 'nonce_too_low'],
  [
    /insufficient funds|underpriced|intrinsic gas|gas limit|fee cap|less than block base fee|max fee per gas|priority fee|nonce too high|invalid sender|invalid signature|invalid chain|chain id|oversized|rlp/i,
    'refused',
  ],
];

/**
 * Maps a node's refusal of a raw transaction; the words are those of geth, reth, erigon and anvil.
 * `undefined` for anything else: then it is unknown whether the node took it.
 */
export function broadcastRefusal(message: string): BroadcastResult | undefined {
  const kind = SAYS.find(([words]) => words.test(message))?.[1];
  if (kind === undefined) return undefined;
  return kind === 'refused' ? { kind, detail: message } : ({ kind } as BroadcastResult);
}
