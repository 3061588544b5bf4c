import type { StoredEvent } from '../../base/event-store/event.js';
import { type CardCharge, evolveCharge } from '../settlement/cards/card-charge.evolve.js';
import type { CardChargeEvent, CardRefundRequested } from '../settlement/cards/card-charge.js';
import { type Account, type Book, tokenAsset } from './chart.js';
import { Lines } from './lines.js';
import type { Code, Transfer } from './transfer.js';

/** The events of a charge that move value, and those that say what they are of. */
export const cardTypes = [
  'CardChargeRequested',
  'CardChargeSucceeded',
  'CardFeeTaken',
  'CardRefundRequested',
  'CardRefundSucceeded',
  'CardRefundFailed',
  'DisputeOpened',
  'DisputeWon',
] as const;

export interface CardBook {
  readonly flow: 'card';
  readonly book: Book;
  readonly charge: CardCharge;
}

const PROCESSOR: Account = { kind: 'processor_balance', party: '' };
const CLEARING: Account = { kind: 'card_clearing', party: '' };
const FEES: Account = { kind: 'processor_fees', party: '' };
const REFUNDS: Account = { kind: 'refunds', party: '' };

export function isOfCard({ type }: Pick<StoredEvent, 'type'>): boolean {
  return (cardTypes as readonly string[]).includes(type);
}

/**
 * Pure: what one event of a charge moves. Charges alone move what is at the processor, and invoices alone what is owed; between
 * them is `card_clearing`, so nothing is posted twice.
 *
 * @param state `undefined` before the first event
 */
export function postCard(
  state: CardBook | undefined,
  stored: StoredEvent,
): { readonly state: CardBook; readonly transfers: readonly Transfer[] } {
  const event = { type: stored.type, schema: 1, data: stored.data } as unknown as CardChargeEvent;
  const charge = evolveCharge(state?.charge, event);
  const { asset, network } = charge.asked;
  const book = { tenant: stored.tenant, asset: tokenAsset(network, asset) };
  const lines = new Lines(stored, book, 0n);
  if (state) post(event, state.charge, lines);
  return { state: { flow: 'card', book, charge }, transfers: lines.transfers };
}

function post(event: CardChargeEvent, before: CardCharge, lines: Lines): void {
  /** Nothing is posted of nothing. */
  const move = (code: Code, debit: Account, credit: Account, minor: bigint) => {
    if (minor > 0n) lines.posted({ code, debit, credit }, minor * BigInt(before.asked.scale));
  };
  switch (event.type) {
    case 'CardChargeSucceeded':
      move('card_payment', PROCESSOR, CLEARING, BigInt(before.asked.amount));
      return;
    case 'CardFeeTaken':
      move('processor_fee', FEES, PROCESSOR, BigInt(event.data.fee));
      return;
    case 'CardRefundSucceeded': {
      const { asked } = before.refunds.get(event.data.refund)!;
      move('card_refund', givenFrom(asked), PROCESSOR, BigInt(asked.amount));
      return;
    }
    case 'CardRefundFailed': {
      const { asked, status } = before.refunds.get(event.data.refund)!;
      if (status === 'succeeded') move('card_refund_reversal', PROCESSOR, givenFrom(asked), BigInt(asked.amount));
      return;
    }
    case 'DisputeOpened':
      move('dispute', CLEARING, PROCESSOR, BigInt(event.data.amount));
      move('processor_fee', FEES, PROCESSOR, BigInt(event.data.fee));
      return;
    case 'DisputeWon': {
      const { amount, fee } = before.disputes.get(event.data.dispute)!.opened;
      move('dispute_reversal', PROCESSOR, CLEARING, BigInt(amount));
      move('processor_fee_reversal', PROCESSOR, FEES, BigInt(fee) - BigInt(event.data.fee));
    }
  }
}

/** What no invoice needed was nobody's income. */
function givenFrom({ reason }: CardRefundRequested['data']): Account {
  return reason === 'surplus' ? CLEARING : REFUNDS;
}
