import type { StoredEvent } from '../../base/event-store/event.js';
import type { JsonObject } from '../../base/shared/json.js';
import { postNetworkFee } from './network-fee-postings.js';
import { type PaymentBook, postPayment } from './payment-postings.js';
import type { Transfer } from './transfer.js';

const payer = `0x${'1'.repeat(40)}`;
const payee = `0x${'2'.repeat(40)}`;
const settler = `0x${'3'.repeat(40)}`;
const token = `0x${'a'.repeat(40)}`;
const network = 'eip155:84532';
const terms = { network, asset: token, payer, payee, amount: '700' };

const onCredit: Happened = ['PaymentAuthorized', { terms, holds: [{ key: 'exposure/demo', amount: terms.amount }] }];
const paidFirst: Happened = ['PaymentAuthorized', { terms, holds: [{ key: 'quota/demo', amount: '1' }] }];

type Happened = readonly [type: string, data?: JsonObject];

function stored([type, data = {}]: Happened, index: number): StoredEvent {
  const [stream, occurredAt] = ['payment/pay_1', new Date(1_790_000_000_000 + index)];
  return {
    position: BigInt(index + 1),
    version: index + 1,
    stream,
    type,
    schema: 1,
    tenant: 'demo',
    data,
    occurredAt,
  };
}

/** Posts events one after the other; the transfers of each. */
function postAll(happened: readonly Happened[]): readonly (readonly Transfer[])[] {
  let state: PaymentBook | undefined;
  return happened.map((one, index) => {
    const posted = postPayment(state, stored(one, index));
    state = posted.state;
    return posted.transfers;
  });
}

/** `post collection settlement_in_transit[payer] < customer_receivable[payer]`, debit first. */
function lineOf({ code, credit, debit, phase }: Transfer): string {
  const name = ({ kind, party }: Transfer['debit']) => kind + ({ [payer]: '[payer]', [payee]: '[payee]' }[party] ?? '');
  return `${phase} ${code} ${name(debit)} < ${name(credit)}`;
}

const given = (...events: Happened[]) => ({
  when: (event: Happened) => ({
    posts: (...lines: string[]) => {
      expect(
        postAll([...events, event])
          .at(-1)!
          .map(lineOf),
      ).toEqual(lines);
    },
    refuses: (message: RegExp) => {
      expect(() => postAll([...events, event])).toThrow(message);
    },
  }),
});

const delivered: Happened = ['RequestDelivered'];
const failed: Happened = ['DeliveryFailed'];
const interrupted: Happened = ['DeliveryInterrupted'];
const restarted: Happened = ['DeliveryRestarted'];
const submitted: Happened = ['SettlementSubmitted'];
const settled: Happened = ['PaymentSettled'];
const settlementFailed: Happened = ['PaymentSettlementFailed'];
const reverted: Happened = ['SettlementReverted'];
const refunded: Happened = ['PaymentRefunded', { amount: '200' }];

const receivable = 'customer_receivable[payer]';
const transit = 'settlement_in_transit[payer]';
const wallet = 'wallet[payee]';
const deferred = 'deferred_revenue[payer]';

describe('a payment on credit', () => {
  it('is owed from its authorization, first as a hold', () => {
    given().when(onCredit).posts(`pending charge ${receivable} < revenue`);
    given(onCredit).when(delivered).posts(`post charge ${receivable} < revenue`);
  });

  it.each([['failed', failed] as const, ['interrupted', interrupted] as const])('is not owed if %s', (_how, event) => {
    given(onCredit).when(event).posts(`void charge ${receivable} < revenue`);
  });

  it('is held again when its delivery is restarted', () => {
    given(onCredit, interrupted).when(restarted).posts(`pending charge ${receivable} < revenue`);
    given(onCredit, interrupted, restarted).when(delivered).posts(`post charge ${receivable} < revenue`);
  });

  it('is on its way once, however often it is submitted', () => {
    given(onCredit, delivered).when(submitted).posts(`pending collection ${transit} < ${receivable}`);
    given(onCredit, delivered, submitted).when(submitted).posts();
  });

  it('moves to the wallet when settled, submitted by us or by somebody else', () => {
    const payout = `posted payout ${wallet} < ${transit}`;
    given(onCredit, delivered, submitted).when(settled).posts(`post collection ${transit} < ${receivable}`, payout);
    given(onCredit, delivered).when(settled).posts(`posted collection ${transit} < ${receivable}`, payout);
  });

  it('stays owed when its settlement fails', () => {
    given(onCredit, delivered, submitted).when(settlementFailed).posts(`void collection ${transit} < ${receivable}`);
    given(onCredit, delivered).when(settlementFailed).posts();
  });

  it('is owed and on its way again when its block is gone', () => {
    const life = [onCredit, delivered, submitted, settled];
    given(...life)
      .when(reverted)
      .posts(
        `posted reversal ${transit} < ${wallet}`,
        `posted reversal ${receivable} < ${transit}`,
        `pending collection ${transit} < ${receivable}`,
      );
    given(...life, reverted)
      .when(settled)
      .posts(`post collection ${transit} < ${receivable}`, `posted payout ${wallet} < ${transit}`);
    given(...life, reverted)
      .when(settlementFailed)
      .posts(`void collection ${transit} < ${receivable}`);
  });
});

describe('a payment that is paid first', () => {
  it('is deferred revenue on hold until it is settled', () => {
    given().when(paidFirst).posts(`pending deposit ${transit} < ${deferred}`);
    given(paidFirst).when(delivered).posts();
    given(paidFirst, delivered).when(submitted).posts();
    given(paidFirst, delivered, submitted)
      .when(settled)
      .posts(
        `post deposit ${transit} < ${deferred}`,
        `posted payout ${wallet} < ${transit}`,
        `posted recognition ${deferred} < revenue`,
      );
  });

  it('is nothing if it is not delivered or not settled', () => {
    given(paidFirst).when(failed).posts(`void deposit ${transit} < ${deferred}`);
    given(paidFirst).when(interrupted).posts(`void deposit ${transit} < ${deferred}`);
    given(paidFirst, interrupted).when(restarted).posts(`pending deposit ${transit} < ${deferred}`);
    given(paidFirst, delivered, submitted).when(settlementFailed).posts(`void deposit ${transit} < ${deferred}`);
  });

  it('is paid again or lost after its block is gone, for the answer is out', () => {
    const life = [paidFirst, delivered, submitted, settled];
    given(...life)
      .when(reverted)
      .posts(`posted reversal ${transit} < ${wallet}`);
    given(...life, reverted)
      .when(settled)
      .posts(`posted payout ${wallet} < ${transit}`);
    given(...life, reverted)
      .when(settlementFailed)
      .posts(`posted loss write_off < ${transit}`);
    given(...life, reverted, settled)
      .when(reverted)
      .posts(`posted reversal ${transit} < ${wallet}`);
  });
});

describe('a refund', () => {
  it.each([['on credit', onCredit] as const, ['paid first', paidFirst] as const])(
    'takes its own amount from the wallet, %s',
    (_flow, authorized) => {
      given(authorized, delivered, settled).when(refunded).posts(`posted refund refunds < ${wallet}`);
      const [transfer] = postAll([authorized, delivered, settled, refunded]).at(-1)!;
      expect(transfer!.amount).toBe(200n);
    },
  );
});

describe('every transfer', () => {
  const [authorization, , collection, settlement] = postAll([onCredit, delivered, submitted, settled]);

  it('is in the book of its tenant and token, at the time of its event', () => {
    const book = { tenant: 'demo', asset: `${network}/erc20:${token}` };
    expect(settlement).toMatchObject(
      [0, 1].map(() => ({ book, amount: 700n, occurredAt: new Date(1_790_000_000_003) })),
    );
  });

  it('is named by position and line, and resolves by that name', () => {
    expect(authorization!.map(({ id }) => id)).toEqual([16n]);
    expect(settlement!.map(({ id }) => id)).toEqual([64n, 65n]);
    expect(settlement![0]!.resolves).toBe(collection![0]!.id);
    expect(settlement![1]!.resolves).toBeUndefined();
  });
});

describe('events that do not fit', () => {
  it.each([
    ['an event before its authorization', [], delivered, /comes before its authorization/],
    ['a second delivery', [onCredit, delivered], delivered, /RequestDelivered at 3 finds nothing pending/],
    ['a second settlement', [paidFirst, delivered, settled], settled, /PaymentSettled at 4 finds nothing pending/],
  ] as const)('are refused: %s', (_what, events, event, message) => {
    given(...events)
      .when(event)
      .refuses(message);
  });
});

describe('network fees', () => {
  const data = { network, settler, share: '21000000000' };

  it.each([
    ['NetworkFeePaid', 'posted network_fee network_fees < gas_wallet'],
    ['NetworkFeeReversed', 'posted network_fee_reversal gas_wallet < network_fees'],
  ])('%s', (type, line) => {
    const transfers = postNetworkFee(stored([type, data], 0));
    expect(transfers.map(lineOf)).toEqual([line]);
    expect(transfers[0]).toMatchObject({
      amount: 21000000000n,
      book: { tenant: 'demo', asset: 'eip155:84532/slip44:60' },
    });
    expect([transfers[0]!.debit.party, transfers[0]!.credit.party].sort()).toEqual(['', settler]);
  });
});
