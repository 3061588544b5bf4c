import { type RpcLog, type RpcTransactionReceipt, toEventSelector, zeroAddress } from 'viem';
import type { Address, Hex } from '../shared/hex.js';
import type { AuthorizationOutcome, Token } from './chain.js';

export const AUTHORIZATION_USED = toEventSelector('AuthorizationUsed(address,bytes32)');
export const AUTHORIZATION_CANCELED = toEventSelector('AuthorizationCanceled(address,bytes32)');
export const TRANSFER = toEventSelector('Transfer(address,address,uint256)');

/** A log of a mined transaction; nodes leave these fields empty only for pending ones. */
export type MinedLog = RpcLog & { readonly transactionHash: Hex; readonly blockHash: Hex; readonly blockNumber: Hex };

export function isMined(log: RpcLog): log is MinedLog {
  return log.transactionHash !== null && log.blockHash !== null && log.blockNumber !== null;
}

/** Of which events, and the values of their two indexed fields. */
export type LogTopics = [events: Hex[], first: Hex, second: Hex];

/** Whether a log is what was asked for: a node that filters badly must not decide which authorization was used. */
export function isAbout({ address, removed, topics }: MinedLog, token: Token, [events, ...fields]: LogTopics): boolean {
  if (removed || address.toLowerCase() !== token.address || !events.includes(topics[0]!)) return false;
  return fields.every((field, index) => topics[index + 1] === field.toLowerCase());
}

/** Whether a receipt is of the same block as this log, and has it. */
export function isIn({ blockHash, logs }: RpcTransactionReceipt, log: MinedLog): boolean {
  const own = logs.find((one) => index(one) === index(log));
  return blockHash === log.blockHash && own !== undefined && own.topics.join() === log.topics.join();
}

/**
 * What an AuthorizationUsed log moved: the first Transfer of the same token and payer behind it in its transaction,
 * before another authorization is used. A token that says "used" and moves nothing gives a transfer of 0 to the zero
 * address, which matches no terms.
 */
export function transferBehind(
  used: MinedLog,
  { from, logs }: Pick<RpcTransactionReceipt, 'from' | 'logs'>,
  token: Token,
  payer: Address,
): AuthorizationOutcome {
  const behind = logs
    .filter((log) => log.address.toLowerCase() === token.address && index(log) > index(used))
    .sort((a, b) => index(a) - index(b));
  const end = behind.findIndex((log) => log.topics[0] === AUTHORIZATION_USED);
  const transfer = (end === -1 ? behind : behind.slice(0, end)).find(
    (log) => log.topics[0] === TRANSFER && addressIn(log.topics[1]) === payer,
  );
  return {
    kind: 'transferred',
    sender: from.toLowerCase() as Address,
    transaction: used.transactionHash,
    blockNumber: BigInt(used.blockNumber),
    blockHash: used.blockHash,
    logIndex: index(transfer ?? used),
    payee: transfer === undefined ? zeroAddress : addressIn(transfer.topics[2]),
    value: transfer === undefined ? 0n : BigInt(transfer.data),
  };
}

/** An address as an indexed topic: 32 bytes, zeros first. */
export function addressTopic(address: Address): Hex {
  return `0x${address.slice(2).padStart(64, '0')}`;
}

/** The address in an indexed topic; the zero address if there is no topic. */
export function addressIn(topic: Hex | undefined): Address {
  return `0x${(topic ?? zeroAddress).slice(-40).toLowerCase()}`;
}

function index(log: RpcLog): number {
  return Number(log.logIndex);
}
