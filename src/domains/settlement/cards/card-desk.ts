import type { EventStore } from '../../../base/event-store/event-store.js';
import { SetWayToPay } from '../../customers/account.decide.js';
import type { CustomerId } from '../../customers/account.js';
import type { CardAccounts } from './card-accounts.js';
import {
  type CardChargeCommand,
  ObserveCardCharge,
  ObserveCardRefund,
  ObserveDispute,
  SubmitCardCharge,
} from './card-charge.decide.js';
import { type CardCharge, foldCharge, hasOpenDispute, hasOpenRefund } from './card-charge.evolve.js';
import { cardChargeStream } from './card-charge.js';
import type { CardChargeRequest, CardProcessor, ChargeWord } from './card-processor.js';
import { CompleteCardSetup } from './card-setup.decide.js';
import { type CardSetup, type CardSetupEvent, cardSetupStream, evolveSetup } from './card-setup.js';

/**
 * - `done`: nothing of it is open; `open`: it will be, for a while;
 * - `unknown`: the processor did not say;
 * - `absent`: there is no such thing here.
 */
export type Looked = 'done' | 'open' | 'unknown' | 'absent';

export interface CardDeskParts {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly accounts: Pick<CardAccounts, 'processorOf'>;
  readonly execute: (command: CardChargeCommand | CompleteCardSetup | SetWayToPay) => Promise<unknown>;
}

/** Asks the processor what is open, and writes down what it says. Any number of processes may ask of the same at once, and be killed. */
export class CardDesk {
  constructor(private readonly parts: CardDeskParts) {}

  /** Takes a charge as far as it goes now: charged, given back, what its fee is, what became of a dispute. */
  carry(tenant: string, charge: string): Promise<Looked> {
    return this.look(tenant, charge, false);
  }

  /** The processor said that something is new: also what seemed to be over is looked at. Never charges. */
  heard(tenant: string, charge: string): Promise<Looked> {
    return this.look(tenant, charge, true);
  }

  private async look(tenant: string, charge: string, hinted: boolean): Promise<Looked> {
    const state = await this.load(tenant, charge);
    if (state === undefined) return 'absent';
    const processor = await this.parts.accounts.processorOf(tenant);
    if (processor === undefined) return 'unknown';
    const visit = new Visit(this.parts, processor, tenant, charge);
    const answered = await visit.charge(state, hinted);
    const charged = answered && (await this.load(tenant, charge))!;
    if (!charged) return 'unknown';
    if (charged.status === 'succeeded') {
      const all = [await visit.refunds(charged, hinted), await visit.disputes(charged, hinted)];
      if (all.includes(false)) return 'unknown';
    }
    return isOpen((await this.load(tenant, charge))!) ? 'open' : 'done';
  }

  /** A customer told the processor a card: it is the account's way to pay from then on. */
  async setup(tenant: string, customer: string): Promise<Looked> {
    const setup = await this.loadSetup(tenant, customer);
    if (setup === undefined) return 'absent';
    if (setup.completed) return 'done';
    const { processorId } = setup.started;
    const word = await (await this.parts.accounts.processorOf(tenant))?.findCardSetup(processorId);
    if (word === undefined || word.kind === 'unknown') return 'unknown';
    if (word.kind !== 'ready') return 'open';
    const { card, method } = word;
    // In this order: what is completed has become the way to pay.
    await this.parts.execute(new SetWayToPay(tenant, customer as CustomerId, { method: 'card', reference: method }));
    await this.parts.execute(new CompleteCardSetup(tenant, customer, processorId, method, card));
    return 'done';
  }

  async load(tenant: string, charge: string): Promise<CardCharge | undefined> {
    const events = await this.parts.store.readStream(cardChargeStream(tenant, charge));
    return foldCharge(events);
  }

  async loadSetup(tenant: string, customer: string): Promise<CardSetup | undefined> {
    const events = await this.parts.store.readStream(cardSetupStream(tenant, customer));
    return (events as unknown as readonly CardSetupEvent[]).reduce<CardSetup | undefined>(evolveSetup, undefined);
  }
}

/** One look at one charge; each part says whether the processor answered. */
class Visit {
  constructor(
    private readonly parts: CardDeskParts,
    private readonly processor: CardProcessor,
    private readonly tenant: string,
    private readonly id: string,
  ) {}

  async charge(state: CardCharge, hinted: boolean): Promise<boolean> {
    const word = await this.wordOf(state, hinted);
    if (word === undefined) return true;
    await this.parts.execute(new ObserveCardCharge(this.tenant, this.id, word));
    return word.kind !== 'unknown';
  }

  async refunds({ processorId, refunds }: CardCharge, hinted: boolean): Promise<boolean> {
    let answered = true;
    for (const [refund, { asked, status }] of refunds) {
      if (status === 'failed' || (status === 'succeeded' && !hinted)) continue;
      const word =
        status === 'pending'
          ? await this.processor.refund({ refund, processorId: processorId!, amount: BigInt(asked.amount) })
          : await this.processor.findRefund(refund, processorId!);
      await this.parts.execute(new ObserveCardRefund(this.tenant, this.id, refund, word));
      answered &&= word.kind !== 'unknown';
    }
    return answered;
  }

  async disputes(charge: CardCharge, hinted: boolean): Promise<boolean> {
    if (!hinted && !hasOpenDispute(charge)) return true;
    const words = await this.processor.findDisputes(charge.processorId!);
    if ('kind' in words) return false;
    for (const word of words) await this.parts.execute(new ObserveDispute(this.tenant, this.id, word));
    return true;
  }

  /** `undefined` if there is nothing to be asked. */
  private async wordOf(state: CardCharge, hinted: boolean): Promise<ChargeWord | undefined> {
    const { asked, fee, status } = state;
    if (hinted) return status === 'requested' ? undefined : this.processor.findCharge(this.id, asked.method);
    if (status === 'requested' || status === 'submitted') {
      // Written before the call: from here on the processor may have it.
      await this.parts.execute(new SubmitCardCharge(this.tenant, this.id));
      return this.processor.charge(this.request(state));
    }
    if (status === 'succeeded' && fee === undefined) return this.processor.findCharge(this.id, asked.method);
    return undefined;
  }

  private request({ asked }: CardCharge): CardChargeRequest {
    const { amount, currency, customer, description, method } = asked;
    return { charge: this.id, tenant: this.tenant, customer, method, amount: BigInt(amount), currency, description };
  }
}

function isOpen(charge: CardCharge): boolean {
  if (charge.status === 'requested' || charge.status === 'submitted') return true;
  return hasOpenRefund(charge) || hasOpenDispute(charge) || (charge.status === 'succeeded' && charge.fee === undefined);
}
