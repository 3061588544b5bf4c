import { FeeCapReached, type Fees } from './chain.js';
import { CONTRACT_PAYER_GAS } from './token-calls.js';

/** Measured: 86,000 alone, 52,000 in a batch; the first payment to a payee costs 17,000 more. Unused gas is not paid. */
const PLAIN_PAYER_GAS = 110_000n;
const BATCH_GAS = 60_000n;
/** What Multicall3 needs for one result after the last call has returned. */
const RESULT_GAS = 1_000n;
/** EIP-7825 allows 16,777,216 gas in one transaction. */
const MOST_GAS = 16_000_000n;

/**
 * Gas limit of one batch of payers without code and, last, at most one with. A call gets no more than 63/64 of the gas
 * that is left (EIP-150): with a contract enough is added that the last 64th still pays for the results, so that
 * burning everything does not undo the batch.
 * Throws a RangeError for a batch that does not fit into one transaction.
 */
export function batchGas(plainPayers: number, contractPayer: boolean): bigint {
  const plain = BigInt(plainPayers);
  const contract = contractPayer ? CONTRACT_PAYER_GAS + 64n * RESULT_GAS * (plain + 1n) : 0n;
  const gas = BATCH_GAS + PLAIN_PAYER_GAS * plain + contract;
  if (gas > MOST_GAS) throw new RangeError(`${plainPayers} items need more gas than a transaction may have`);
  return gas;
}

/** Pure. Room for the base fee to double, never above `cap`. Throws FeeCapReached while the base fee is above it. */
export function feesFor(baseFee: bigint, tip: bigint, cap: bigint): Fees {
  if (baseFee > cap) throw new FeeCapReached(`the base fee of ${baseFee} wei is above the cap of ${cap} wei`, cap);
  const wanted = 2n * baseFee + tip;
  const maxFeePerGas = smaller(wanted, cap);
  return { maxFeePerGas, maxPriorityFeePerGas: smaller(tip, maxFeePerGas) };
}

/**
 * Pure. What a node takes in the place of a transaction with the fees `old`: both are to be 10 % higher (geth's
 * `txpool.pricebump`), here 12.5 %, or what is due `now` if that is more. Throws FeeCapReached if that passes `cap`.
 */
export function feesOver(old: Fees, now: Fees, cap: bigint): Fees {
  const maxFeePerGas = larger(raised(old.maxFeePerGas), now.maxFeePerGas);
  if (maxFeePerGas > cap) throw new FeeCapReached(`${maxFeePerGas} wei would pass the cap of ${cap} wei`, cap);
  const tip = larger(raised(old.maxPriorityFeePerGas), now.maxPriorityFeePerGas);
  return { maxFeePerGas, maxPriorityFeePerGas: smaller(tip, maxFeePerGas) };
}

/** By an eighth, rounded up; at least by one. */
function raised(fee: bigint): bigint {
  return fee + fee / 8n + 1n;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
