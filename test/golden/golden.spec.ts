import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { StoredEvent } from '../../src/base/event-store/event.js';
import type { JsonObject } from '../../src/base/shared/json.js';
import { type AccountEvent, evolveAccount } from '../../src/domains/customers/account.js';
import { type AllowanceEvent, evolveAllowance } from '../../src/domains/customers/allowance.js';
import { type CustomerEvent, evolveCustomer, unknownCustomer } from '../../src/domains/customers/customer.js';
import { type CustomerKeyEvent, evolveCustomerKeys, noKeys } from '../../src/domains/customers/customer-key.js';
import { type CustomerTariffEvent, evolveCustomerTariff } from '../../src/domains/customers/customer-tariff.js';
import {
  evolveListMode,
  evolveStanding,
  type ListModeChanged,
  type StandingEvent,
} from '../../src/domains/customers/standing.js';
import { evolveClock, type TenantClockAdvanced } from '../../src/domains/customers/tenant-clock.js';
import { evolveTenantKeys, noTenantKeys, type TenantKeyEvent } from '../../src/domains/customers/tenant-key.js';
import { evolveInvoice, type Invoice } from '../../src/domains/invoicing/invoice.evolve.js';
import type { InvoiceEvent } from '../../src/domains/invoicing/invoice.js';
import { evolvePrepaid, type PrepaidEvent } from '../../src/domains/invoicing/prepaid.js';
import { evolveLimit, type LimitEvent } from '../../src/domains/limits/limit.js';
import { evolveMeter, type MeterEvent } from '../../src/domains/metering/meter.js';
import { type CommitmentEvent, evolveCommitment, newCommitment } from '../../src/domains/payments/commitment.js';
import { evolveFreeRequest, type FreeRequestEvent, newFreeRequest } from '../../src/domains/payments/free-request.js';
import { evolvePayment, initialPayment } from '../../src/domains/payments/payment.evolve.js';
import type { Payment, PaymentEvent } from '../../src/domains/payments/payment.js';
import { identifiedPurchase } from '../../src/domains/payments/purchase-identifier.js';
import { evolveTransfer, newTransfer, type TransferEvent } from '../../src/domains/payments/transfer.js';
import { evolvePublished, type PublicationEvent, unpublished } from '../../src/domains/pricing/publication.js';
import { type CardAccountEvent, evolveCardAccount } from '../../src/domains/settlement/cards/card-account.js';
import { type CardCharge, evolveCharge } from '../../src/domains/settlement/cards/card-charge.evolve.js';
import type { CardChargeEvent } from '../../src/domains/settlement/cards/card-charge.js';
import { type CardSetupEvent, evolveSetup } from '../../src/domains/settlement/cards/card-setup.js';
import {
  evolveFacilitators,
  type FacilitatorsChosen,
  noFacilitators,
} from '../../src/domains/settlement/facilitators/facilitator-list.js';
import { checkShape, eventShapes, upcast } from '../../src/event-catalogue.js';
import { nameOf } from '../support/event-docs.js';

/** What was stored once, as it was stored: this has to stay readable for ever. Samples are added, never edited. */
interface Sample {
  readonly note: string;
  readonly stream: string;
  readonly data: JsonObject;
}

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), 'events');
const LONGEST_HISTORY = 5;

function samplesOf(name: string): readonly StoredEvent[] {
  const [, type, schema] = /^(\w+)\.v(\d+)$/.exec(name)!;
  const samples = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as readonly Sample[];
  return samples.map(({ data, stream }) => ({
    ...{ position: 1n, version: 1, tenant: 'demo', occurredAt: new Date(0) },
    ...{ stream, type: type!, schema: Number(schema), data },
  }));
}

const names = eventShapes.map(nameOf);
const paymentEvents = eventShapes
  .filter(({ stream }) => stream === 'payment/{payment}')
  .flatMap((shape) => samplesOf(nameOf(shape)))
  .map((event) => upcast(event) as unknown as PaymentEvent);

/** Every state that a payment is in after each event of one of the samples fitted, found by trying. */
function* paymentStates(state: Payment = initialPayment, depth = 0): Generator<Payment> {
  yield state;
  if (depth === LONGEST_HISTORY) return;
  const tried = new Set<string>();
  for (const event of paymentEvents) {
    // The mode of the first event decides what may follow.
    const mode = event.type === 'PaymentAuthorized' ? event.data.mode : '';
    const form = [event.type, mode, ...Object.keys(event.data)].join();
    if (tried.has(form)) continue;
    tried.add(form);
    const next = after(state, event);
    if (next) yield* paymentStates(next, depth + 1);
  }
}

function after(state: Payment, event: PaymentEvent): Payment | undefined {
  try {
    return evolvePayment(state, event);
  } catch {
    return undefined;
  }
}

/** How the events of a stream are read, by the first word of its name: `true` if this event can be. */
const folds: Readonly<Record<string, (event: StoredEvent) => boolean>> = {
  payment: (event) => [...paymentStates()].some((state) => after(state, event as unknown as PaymentEvent)),
  identifier: (event) => identifiedPurchase([event]) !== undefined,
  customer: (event) => evolveCustomer(unknownCustomer, event as unknown as CustomerEvent).status !== 'unknown',
  account: (event) => foldsAccount(event as unknown as AccountEvent),
  allowance: (event) => evolveAllowance(undefined, event as unknown as AllowanceEvent) !== null,
  'free-request': (event) => foldsFreeRequest(event as unknown as FreeRequestEvent),
  commitment: (event) => foldsCommitment(event as unknown as CommitmentEvent),
  'customer-tariff': (event) => evolveCustomerTariff('', event as unknown as CustomerTariffEvent) !== '',
  'facilitator-keys': (event) => evolveTenantKeys(noTenantKeys, event as unknown as TenantKeyEvent).size < 2,
  'ingestion-keys': (event) => evolveTenantKeys(noTenantKeys, event as unknown as TenantKeyEvent).size < 2,
  facilitators: (event) =>
    evolveFacilitators(noFacilitators, event as unknown as FacilitatorsChosen) !== noFacilitators,
  'card-account': (event) =>
    (evolveCardAccount(undefined, event as unknown as CardAccountEvent) !== undefined) ===
    (event.type === 'CardAccountSet'),
  'card-setup': (event) => foldsCardSetup(event as unknown as CardSetupEvent),
  'card-charge': (event) => foldsCardCharge(event as unknown as CardChargeEvent),
  'customer-keys': (event) => evolveCustomerKeys(noKeys, event as unknown as CustomerKeyEvent).size < 2,
  standing: (event) => evolveStanding(undefined, event as unknown as StandingEvent) !== null,
  'list-mode': (event) =>
    ['open', 'allow_listed'].includes(evolveListMode('open', event as unknown as ListModeChanged)),
  limit: foldsLimit,
  meter: foldsMeter,
  // Nothing is folded: the rows of the batch say the rest.
  usage: () => true,
  prepaid: (event) =>
    evolvePrepaid([{ sequence: 3, reference: 'prepaid:1', amount: '1' }], event as unknown as PrepaidEvent).length !==
    1,
  invoice: (event) => foldsInvoice(event as unknown as InvoiceEvent),
  clock: (event) => evolveClock(0, event as unknown as TenantClockAdvanced) > 0,
  // The newest of these says all.
  invoicing: () => true,
  'account-taxes': () => true,
  'meter-price': () => true,
  transfer: (event) => foldsTransfer(event as unknown as TransferEvent),
  tenant: foldsPublication,
  route: foldsPublication,
  tariff: foldsPublication,
};

function foldsAccount(event: AccountEvent): boolean {
  const [opened] = samplesOf('AccountOpened.v1') as unknown as [AccountEvent];
  const before = event.type === 'AccountOpened' ? undefined : evolveAccount(undefined, opened);
  return evolveAccount(before, event).opened.customer === event.data.customer;
}

function foldsLimit(event: StoredEvent): boolean {
  return (evolveLimit(undefined, event as unknown as LimitEvent) !== undefined) === (event.type === 'LimitPublished');
}

function foldsMeter(event: StoredEvent): boolean {
  const [published] = samplesOf('MeterPublished.v1') as unknown as [MeterEvent];
  const before = event.type === 'MeterPublished' ? undefined : evolveMeter(undefined, published);
  return evolveMeter(before, event as unknown as MeterEvent)?.withdrawn === (event.type === 'MeterWithdrawn');
}

function foldsFreeRequest(event: FreeRequestEvent): boolean {
  const [granted] = samplesOf('FreeRequestGranted.v3') as unknown as [FreeRequestEvent];
  const before = event.type === 'FreeRequestGranted' ? newFreeRequest : evolveFreeRequest(newFreeRequest, granted);
  return evolveFreeRequest(before, event).status !== 'unknown';
}

function foldsCommitment(event: CommitmentEvent): boolean {
  const [accepted] = samplesOf('CommitmentAccepted.v1') as unknown as [CommitmentEvent];
  const before = event.type === 'CommitmentAccepted' ? newCommitment : evolveCommitment(newCommitment, accepted);
  return evolveCommitment(before, event).status !== 'unknown';
}

/** After a draft, an invoice, or one that is paid. */
function foldsInvoice(event: InvoiceEvent): boolean {
  const [[drafted], [finalized], [applied]] = [
    'InvoiceDrafted.v1',
    'InvoiceFinalized.v1',
    'InvoicePaymentApplied.v1',
  ].map(samplesOf) as unknown as [[InvoiceEvent], [InvoiceEvent], [InvoiceEvent]];
  const histories = [[], [drafted], [drafted, finalized], [drafted, finalized, applied]];
  return histories.some((history) => {
    try {
      return [...history, event].reduce<Invoice | undefined>(evolveInvoice, undefined) !== undefined;
    } catch {
      return false;
    }
  });
}

function foldsCardSetup(event: CardSetupEvent): boolean {
  const [started] = samplesOf('CardSetupStarted.v1') as unknown as [CardSetupEvent];
  return evolveSetup(evolveSetup(undefined, started), event).started.setup === event.data.setup;
}

/** It is the first, or changes what was asked for, or has succeeded with a refund and a dispute. */
function foldsCardCharge(event: CardChargeEvent): boolean {
  if (event.type === 'CardChargeRequested') return evolveCharge(undefined, event).status === 'requested';
  const [asked, ...later] = [
    'CardChargeRequested.v1',
    'CardChargeSucceeded.v1',
    'CardRefundRequested.v1',
    'DisputeOpened.v1',
  ].map((name) => samplesOf(name)[0] as unknown as CardChargeEvent) as [CardChargeEvent, ...CardChargeEvent[]];
  const first = evolveCharge(undefined, asked);
  return [first, later.reduce(evolveCharge, first)].some((charge: CardCharge) => {
    try {
      return !isDeepStrictEqual(evolveCharge(charge, event), charge);
    } catch {
      return false;
    }
  });
}

/** It changes what nobody has seen, or what was found in both directions. */
function foldsTransfer(event: TransferEvent): boolean {
  const found = ['InboundTransferFound.v1', 'OutboundTransferFound.v1'].flatMap(
    samplesOf,
  ) as unknown as TransferEvent[];
  const states = [newTransfer, found.reduce(evolveTransfer, newTransfer)];
  return states.some((state) => !isDeepStrictEqual(evolveTransfer(state, event), state));
}

function foldsPublication(event: StoredEvent): boolean {
  return evolvePublished(unpublished, event as unknown as PublicationEvent).last !== undefined;
}

/** No state is folded from these: they stand for themselves. */
const ALONE = [
  'ProbationLifted',
  'NetworkFeePaid',
  'NetworkFeeReversed',
  'WalletOpened',
  'LogRestored',
  'LossAccepted',
];

describe('every shape that was ever stored', () => {
  it('has its golden file, and no file is without a shape', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(names.map((name) => `${name}.json`).sort());
  });

  it.each(names)('%s is read: it fits its shape, is lifted to the newest, and folds', (name) => {
    const samples = samplesOf(name);
    expect(samples.length).toBeGreaterThan(0);
    for (const stored of samples) {
      expect(checkShape(stored)).toBeUndefined();
      const newest = upcast(stored);
      expect(checkShape(newest)).toBeUndefined();
      if (ALONE.includes(stored.type)) continue;
      expect(folds[stored.stream.split('/')[0]!]!(newest)).toBe(true);
    }
  });

  it.each(eventShapes)('$type has samples with and without each optional field', (shape) => {
    const samples = samplesOf(nameOf(shape)).map(({ data }) => data);
    const fields = new Set(samples.flatMap((data) => Object.keys(data)));
    const { properties = {}, required = [] } = schemaOf(nameOf(shape));
    expect([...fields].sort()).toEqual(Object.keys(properties).sort());
    for (const optional of Object.keys(properties).filter((field) => !required.includes(field))) {
      expect([optional, samples.some((data) => !(optional in data))]).toEqual([optional, true]);
    }
  });
});

function schemaOf(name: string): { readonly properties?: object; readonly required?: readonly string[] } {
  return JSON.parse(readFileSync(join(FOLDER, '..', '..', '..', 'docs', 'events', `${name}.json`), 'utf8'));
}
