import type { Address, Hex } from '../shared/hex.js';
import type { Token } from './chain.js';
import type { ChainClient } from './chain-client.js';
import { logPages, minedLogs } from './log-pages.js';
import {
  AUTHORIZATION_CANCELED,
  AUTHORIZATION_USED,
  addressIn,
  addressTopic,
  type MinedLog,
  TRANSFER,
} from './settlement-logs.js';
import { readReceipt } from './transaction-outcome.js';

type TokenAddress = Pick<Token, 'address'>;

/** A Transfer of one token (ERC-20), in a block. */
export interface TransferLog {
  readonly from: Address;
  readonly to: Address;
  /** Atomic units. */
  readonly value: bigint;
  readonly transaction: Hex;
  readonly blockNumber: bigint;
  readonly blockHash: Hex;
  readonly logIndex: number;
}

/** `authorization`: the nonce of the sender's EIP-3009 authorization, if the transfer was made by one. */
export interface ReceiptTransfer extends TransferLog {
  readonly authorization?: Hex;
}

/** An authorization (EIP-3009) that nobody can use any more: it was used, or cancelled. */
export interface AuthorizationLog {
  readonly payer: Address;
  readonly nonce: Hex;
  readonly transaction: Hex;
}

/** One, or any of several. */
export interface TransferParties {
  readonly from?: Address | readonly Address[];
  readonly to?: Address | readonly Address[];
}

/**
 * All transfers of a token within a range of blocks, both ends included, in their order on the chain, one list per
 * answer of the node (`logPages`). Throws ChainUnavailable.
 */
export async function* transferLogs(
  client: ChainClient,
  { address }: TokenAddress,
  { from, to }: TransferParties,
  fromBlock: bigint,
  toBlock: bigint,
): AsyncGenerator<TransferLog[]> {
  const topics = [TRANSFER, topicOf(from), topicOf(to)];
  for await (const page of logPages(client, { address, topics }, fromBlock, toBlock)) yield page.map(transferOf);
}

/** As above: which authorizations of these payers came to an end. Throws ChainUnavailable. */
export async function* authorizationLogs(
  client: ChainClient,
  { address }: TokenAddress,
  payers: readonly Address[],
  fromBlock: bigint,
  toBlock: bigint,
): AsyncGenerator<AuthorizationLog[]> {
  const topics = [[AUTHORIZATION_USED, AUTHORIZATION_CANCELED], topicOf(payers)];
  for await (const page of logPages(client, { address, topics }, fromBlock, toBlock)) {
    yield page.map(({ topics: [, payer, nonce], transactionHash: transaction }) => ({
      payer: addressIn(payer),
      nonce: nonce!,
      transaction,
    }));
  }
}

/**
 * The transfers of a token in one transaction, oldest first: none if it failed. `undefined` if it is in no block.
 * Throws ChainUnavailable.
 */
export async function transfersOf(
  client: ChainClient,
  { address }: TokenAddress,
  hash: Hex,
): Promise<ReceiptTransfer[] | undefined> {
  const receipt = await readReceipt(client, hash);
  if (receipt === null) return undefined;
  const logs = minedLogs(receipt.logs, address);
  const uses = logs.filter((log) => log.topics[0] === AUTHORIZATION_USED);
  return logs
    .filter((log) => log.topics[0] === TRANSFER)
    .map(transferOf)
    .map((transfer) => {
      const use = uses.findLast((log) => Number(log.logIndex) < transfer.logIndex);
      // The token writes the use right before its transfer; anything further away belongs to another call.
      const own = use && Number(use.logIndex) === transfer.logIndex - 1 && addressIn(use.topics[1]) === transfer.from;
      return own ? { ...transfer, authorization: use.topics[2] } : transfer;
    });
}

function topicOf(parties: Address | readonly Address[] | undefined): Hex | readonly Hex[] | null {
  if (parties === undefined) return null;
  return typeof parties === 'string' ? addressTopic(parties) : parties.map(addressTopic);
}

function transferOf({ blockHash, blockNumber, data, logIndex, topics, transactionHash }: MinedLog): TransferLog {
  return {
    from: addressIn(topics[1]),
    to: addressIn(topics[2]),
    value: BigInt(data),
    transaction: transactionHash,
    blockNumber: BigInt(blockNumber),
    blockHash,
    logIndex: Number(logIndex),
  };
}
