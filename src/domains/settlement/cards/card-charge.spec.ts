import fc from 'fast-check';
import type { Decision } from '../../../base/event-store/unit-of-work.js';
import { Problem } from '../../../base/shared/problem.js';
import {
  decideNoteEvidence,
  decideObserve,
  decideObserveDispute,
  decideObserveRefund,
  decideRequestCharge,
  decideRequestRefund,
  decideSubmitCharge,
  NoteDisputeEvidence,
  ObserveCardCharge,
  ObserveCardRefund,
  ObserveDispute,
  RequestCardCharge,
  RequestCardRefund,
} from './card-charge.decide.js';
import { type CardCharge, evolveCharge, leftOf } from './card-charge.evolve.js';
import { type CardChargeEvent, type CardChargeRequested, chargeIdOf } from './card-charge.js';
import type { ChargeWord, DisputeWord, RefundWord } from './card-processor.js';

const asked: CardChargeRequested['data'] = {
  ...{ tenant: 'demo', customer: 'cus_1', invoice: 'inv_1', sequence: 1, attempt: 1, notice: 0, method: 'pm_1' },
  ...{ amount: '1000', currency: 'USD', description: 'Invoice INV-000001', network: 'eip155:1', asset: '0xab' },
  scale: '10000',
};
const charge = chargeIdOf('demo', 'inv_1', 1);

/** A charge and all that was decided of it. */
class Life {
  state: CardCharge | undefined;
  readonly events: string[] = [];

  take({ events }: Decision): this {
    for (const event of events as readonly CardChargeEvent[]) {
      this.state = evolveCharge(this.state, event);
      this.events.push(event.type);
    }
    return this;
  }

  hear(word: ChargeWord): this {
    return this.take(decideObserve(this.state, new ObserveCardCharge('demo', charge, word)));
  }

  refund(amount: bigint, reason: 'surplus' | 'requested', refund = 'crf_1'): this {
    return this.take(decideRequestRefund(this.state, new RequestCardRefund('demo', charge, refund, amount, reason)));
  }

  hearRefund(word: RefundWord, refund = 'crf_1'): this {
    return this.take(decideObserveRefund(this.state, new ObserveCardRefund('demo', charge, refund, word)));
  }

  hearDispute(word: Partial<DisputeWord> = {}): this {
    return this.take(decideObserveDispute(this.state, new ObserveDispute('demo', charge, { ...dispute, ...word })));
  }
}

const dispute: DisputeWord = {
  ...{ disputeId: 'dp_1', processorId: 'pi_1', amount: 1000n, fee: 1500n, reason: 'fraudulent' },
  status: 'needs_response',
};
const succeeded: ChargeWord = { kind: 'succeeded', processorId: 'pi_1', fee: 59n };
const declined: ChargeWord = { kind: 'declined', processorId: 'pi_1', code: 'insufficient_funds', final: false };
const requested = () => new Life().take(decideRequestCharge(undefined, new RequestCardCharge(charge, asked)));
const submitted = () => {
  const life = requested();
  return life.take(decideSubmitCharge(life.state));
};
const code = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return (error as Problem).code;
  }
  return undefined;
};

describe('a charge of a card', () => {
  it('is requested once and submitted once', () => {
    const life = submitted();
    life
      .take(decideRequestCharge(life.state, new RequestCardCharge(charge, asked)))
      .take(decideSubmitCharge(life.state));
    expect(life.events).toEqual(['CardChargeRequested', 'CardChargeSubmitted']);
  });

  it('is named by its attempt at its invoice', () => {
    expect(chargeIdOf('demo', 'inv_1', 1)).toBe(charge);
    expect(new Set([charge, chargeIdOf('demo', 'inv_1', 2), chargeIdOf('other', 'inv_1', 1)]).size).toBe(3);
  });

  it.each<[string, ChargeWord]>([
    ['unknown', { kind: 'unknown', why: 'timeout' }],
    ['on its way', { kind: 'processing', processorId: 'pi_1' }],
    ['absent', { kind: 'absent' }],
  ])('stays as it is while it is %s', (_what, word) => {
    expect(submitted().hear(word).state).toMatchObject({ status: 'submitted' });
  });

  it('hears nothing before it may be with the processor', () => {
    expect(requested().hear(succeeded).state?.status).toBe('requested');
  });

  it('succeeds late, after it was declined', () => {
    const life = submitted().hear(declined).hear(succeeded).hear(declined);
    expect(life.state).toMatchObject({ status: 'succeeded', processorId: 'pi_1', fee: 59n });
    expect(life.events.slice(2)).toEqual(['CardChargeDeclined', 'CardChargeSucceeded', 'CardFeeTaken']);
  });

  it('hears of its fee later, once', () => {
    const life = submitted().hear({ kind: 'succeeded', processorId: 'pi_1' }).hear(succeeded);
    life.hear({ kind: 'succeeded', processorId: 'pi_1', fee: 7n });
    expect(life.state?.fee).toBe(59n);
  });

  it('says when asking again is pointless', () => {
    const life = submitted().hear(declined).hear({ kind: 'declined', code: 'stolen_card', final: true }).hear(declined);
    expect(life.state).toMatchObject({ status: 'declined', declined: { code: 'stolen_card', final: true } });
  });

  const words = fc.constantFrom<ChargeWord>(
    ...[succeeded, declined, { kind: 'succeeded', processorId: 'pi_1' } as const],
    ...([{ kind: 'declined', code: 'stolen_card', final: true }] as const),
    { kind: 'requires_action', processorId: 'pi_1' },
    ...([{ kind: 'absent' }, { kind: 'unknown', why: '500' }] as const),
  );
  const shuffled = fc
    .array(words, { minLength: 1, maxLength: 8 })
    .chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: 2 * list.length })),
    );

  it('comes to the same end in whatever order, and however often, it is told', () => {
    const endOf = (list: readonly ChargeWord[]) => {
      const { state } = list.reduce((life, word) => life.hear(word), submitted());
      return [state?.status, state?.status === 'declined' && state.declined?.final, state?.fee];
    };
    fc.assert(fc.property(shuffled, ([list, again]) => expect(endOf(again)).toEqual(endOf(list))));
  });
});

describe('a refund of a card', () => {
  const paid = () => submitted().hear(succeeded);

  it('is of what was charged, and not more', () => {
    expect(code(() => submitted().refund(1n, 'requested'))).toBe('card_not_charged');
    expect(code(() => paid().refund(1001n, 'requested'))).toBe('refund_exceeds_payment');
    const life = paid().refund(600n, 'requested');
    expect(leftOf(life.state!)).toBe(400n);
    expect(code(() => life.refund(401n, 'requested', 'crf_2'))).toBe('refund_exceeds_payment');
  });

  it('of a surplus takes what is left', () => {
    const life = paid().refund(600n, 'requested').refund(1000n, 'surplus', 'crf_2').refund(1n, 'surplus', 'crf_3');
    expect([...life.state!.refunds.values()].map(({ asked: { amount } }) => amount)).toEqual(['600', '400']);
  });

  it('is asked for once under one id, ends, and fails for good', () => {
    const life = paid().refund(1000n, 'requested').refund(1000n, 'requested');
    life.hearRefund({ kind: 'succeeded', processorId: 're_1' }).hearRefund({ kind: 'succeeded', processorId: 're_1' });
    life.hearRefund({ kind: 'failed', code: 'lost_or_stolen_card' });
    life.hearRefund({ kind: 'succeeded', processorId: 're_1' });
    expect(life.events.slice(4)).toEqual(['CardRefundRequested', 'CardRefundSucceeded', 'CardRefundFailed']);
    expect(leftOf(life.state!)).toBe(1000n);
  });
});

describe('a dispute', () => {
  const paid = () => submitted().hear(succeeded);

  it('takes the money, and gives it back when it is won', () => {
    const life = paid().hearDispute().hearDispute({ status: 'under_review' });
    expect(leftOf(life.state!)).toBe(0n);
    life.hearDispute({ status: 'won', fee: 0n }).hearDispute({ status: 'lost' }).hearDispute();
    expect(leftOf(life.state!)).toBe(1000n);
    expect(life.events.slice(4)).toEqual(['DisputeOpened', 'DisputeWon']);
  });

  it('is opened, whatever is heard of it first', () => {
    expect(paid().hearDispute({ status: 'lost' }).events.slice(4)).toEqual(['DisputeOpened', 'DisputeLost']);
    expect(submitted().hearDispute().events).toHaveLength(2);
  });

  it('notes the same evidence once', () => {
    const life = paid().hearDispute();
    const note = (digest: string) =>
      life.take(decideNoteEvidence(life.state, new NoteDisputeEvidence('demo', charge, 'dp_1', digest)));
    note('a');
    note('a');
    expect(life.events.filter((type) => type === 'DisputeEvidenceSubmitted')).toHaveLength(1);
    const other = new NoteDisputeEvidence('demo', charge, 'dp_2', 'a');
    expect(code(() => decideNoteEvidence(life.state, other))).toBe('unknown_dispute');
  });
});
