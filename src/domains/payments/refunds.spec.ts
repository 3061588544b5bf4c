import type { ReceiptTransfer } from '../../base/chain/transfer-logs.js';
import { NEW_STREAM, type NewEvent, type StoredEvent, VersionConflict } from '../../base/event-store/event.js';
import type { Address, Hex } from '../../base/shared/hex.js';
import { foldPayment, type PaymentAfter } from './handler-for.js';
import { type PaymentEvent, type PaymentId, paymentIdOf, paymentStream } from './payment.js';
import { decideRefund, type RecordRefund } from './payment.refund.js';
import { type RefundRequest, recordRefund } from './refunds.js';

const payer: Address = `0x${'aa'.repeat(20)}`;
const payee: Address = `0x${'bb'.repeat(20)}`;
const asset: Address = `0x${'cc'.repeat(20)}`;
const network = 'eip155:84532';
const transaction: Hex = `0x${'dd'.repeat(32)}`;
const ID: PaymentId = 'pay_1';
const terms = { network, asset, payer, payee, amount: '100' };
const settled = { transaction: '0x01', blockNumber: '7', blockHash: '0xb7', logIndex: 3, by: 'settler' };

/** A log of a settled payment and of whatever else, and a chain with one transaction. */
class Desk {
  readonly streams = new Map<string, NewEvent[]>();

  constructor(private readonly transfers: readonly ReceiptTransfer[] | undefined) {
    this.sell(ID);
  }

  sell(id: PaymentId): void {
    this.streams.set(paymentStream(id), [
      { type: 'PaymentAuthorized', schema: 1, data: { mode: 'async', terms } },
      { type: 'RequestDelivered', schema: 1, data: {} },
      { type: 'PaymentSettled', schema: 1, data: settled },
    ]);
  }

  record(request: Partial<RefundRequest> = {}, id = ID) {
    const readStream = async (stream: string) => this.read(stream);
    const readStreams = async (streams: readonly string[]) =>
      new Map(streams.filter((one) => this.streams.has(one)).map((one) => [one, this.read(one)]));
    const execute = async (command: RecordRefund) => this.execute(command);
    const transfers = async () => this.transfers?.slice();
    return recordRefund({ store: { readStream, readStreams }, transfers, execute }, id, { transaction, ...request });
  }

  private read(stream: string): StoredEvent[] {
    return (this.streams.get(stream) ?? []) as unknown as StoredEvent[];
  }

  private execute(command: RecordRefund): PaymentAfter {
    const stream = paymentStream(command.paymentId);
    const before = this.read(stream) as unknown as PaymentEvent[];
    const { claim, events } = decideRefund(foldPayment(before), command);
    const stored = (claim && this.streams.get(claim.stream)) ?? [];
    if (claim && stored.length !== claim.expectedVersion) throw new VersionConflict(claim.stream, NEW_STREAM);
    if (claim) this.streams.set(claim.stream, [...stored, claim.event]);
    const added = events as readonly PaymentEvent[];
    this.streams.set(stream, [...before, ...added]);
    return { state: foldPayment([...before, ...added]), version: before.length + added.length, events: added };
  }
}

const transfer = (change: Partial<ReceiptTransfer> = {}): ReceiptTransfer => ({
  from: payee,
  to: payer,
  value: 40n,
  transaction,
  blockNumber: 9n,
  blockHash: '0xb9',
  logIndex: 5,
  ...change,
});

describe('recording a refund', () => {
  it('takes the transfer from payee to payer, and gives the same answer again', async () => {
    const desk = new Desk([transfer({ to: asset, logIndex: 4 }), transfer(), transfer({ from: asset, logIndex: 6 })]);
    const refund = { amount: '40', transaction, blockNumber: '9', blockHash: '0xb9', logIndex: 5 };
    expect(await desk.record()).toMatchObject({ refund, repeated: false });
    expect(await desk.record()).toMatchObject({ refund, repeated: true });
    expect(await desk.record({ logIndex: 5 })).toMatchObject({ refund, repeated: true });
  });

  it('asks which of several transfers is meant, and then takes each once', async () => {
    const desk = new Desk([transfer(), transfer({ logIndex: 8, value: 60n })]);
    await expect(desk.record()).rejects.toMatchObject({ code: 'refund_ambiguous', detail: 'log_index: 5, 8' });
    expect(await desk.record({ logIndex: 8 })).toMatchObject({ refund: { amount: '60' }, repeated: false });
    expect(await desk.record({ logIndex: 5 })).toMatchObject({ refund: { amount: '40' }, repeated: false });
    await expect(desk.record({ logIndex: 6 })).rejects.toMatchObject({ code: 'refund_not_found' });
  });

  it('leaves to another payment what refunds that one', async () => {
    const desk = new Desk([transfer(), transfer({ logIndex: 8 })]);
    desk.sell('pay_2');
    await desk.record({ logIndex: 5 });
    expect(await desk.record({}, 'pay_2')).toMatchObject({ refund: { logIndex: 8 }, repeated: false });
    await expect(desk.record({ logIndex: 5 }, 'pay_2')).rejects.toMatchObject({ code: 'transfer_already_counted' });
  });

  it('does not take for a refund what the payee bought from the payer', async () => {
    const authorization: Hex = `0x${'ee'.repeat(32)}`;
    const desk = new Desk([transfer({ authorization })]);
    desk.sell(paymentIdOf({ network, asset, payer: payee, nonce: authorization }));
    await expect(desk.record()).rejects.toMatchObject({ code: 'transfer_already_counted' });
    // An authorization that nobody here sold for is a way to send money like any other.
    expect(await new Desk([transfer({ authorization })]).record()).toMatchObject({ repeated: false });
  });

  it.each([
    ['is in no block', undefined, 'refund_not_mined'],
    ['moves nothing', [], 'refund_not_found'],
    ['moves nothing of worth', [transfer({ value: 0n })], 'refund_not_found'],
    ['is older than the payment', [transfer({ blockNumber: 6n })], 'refund_not_found'],
    ['gives back more than was paid', [transfer({ value: 101n })], 'refund_exceeds_payment'],
  ])('refuses a transaction that %s', async (_what, transfers, code) => {
    await expect(new Desk(transfers).record()).rejects.toMatchObject({ code });
  });
});
