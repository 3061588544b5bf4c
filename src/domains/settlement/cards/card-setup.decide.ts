import type { Attachment, Decision } from '../../../base/event-store/unit-of-work.js';
import type { CardOnFile } from './card-processor.js';
import type { CardSetup, CardSetupEvent } from './card-setup.js';

/** The processor began a setup for an account. */
export class StartCardSetup {
  constructor(
    readonly tenant: string,
    readonly customer: string,
    /** Ours: `cst_…`. */
    readonly setup: string,
    readonly processorId: string,
  ) {}
}

/** The processor has a card of that setup. */
export class CompleteCardSetup {
  constructor(
    readonly tenant: string,
    readonly customer: string,
    readonly processorId: string,
    readonly method: string,
    readonly card: CardOnFile,
  ) {}
}

const NOTHING: Decision = { events: [] };

export function decideStartSetup(_state: CardSetup | undefined, command: StartCardSetup): Decision {
  const { processorId, setup } = command;
  const event: CardSetupEvent = { type: 'CardSetupStarted', schema: 1, data: { setup, processorId } };
  return { events: [event], attachments: [rowOf(command, processorId, false)] };
}

/** The newest setup counts, once. */
export function decideCompleteSetup(state: CardSetup | undefined, command: CompleteCardSetup): Decision {
  const { card, method, processorId } = command;
  if (state === undefined || state.completed !== undefined || state.started.processorId !== processorId) return NOTHING;
  const { brand, expires, last4 } = card;
  const data = { setup: state.started.setup, method, brand, last4, expires };
  const event: CardSetupEvent = { type: 'CardSetupCompleted', schema: 1, data };
  return { events: [event], attachments: [rowOf(command, processorId, true)] };
}

/** By which a setup is found again. */
function rowOf({ customer, tenant }: StartCardSetup | CompleteCardSetup, processorId: string, completed: boolean) {
  const row = { tenant, customer, processor_id: processorId, completed };
  return { table: 'card_setups', row } satisfies Attachment;
}
