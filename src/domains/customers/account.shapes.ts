import { z } from 'zod';
import { address, atomicAmount, digest, instant, network } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import {
  type AccountOpened,
  type AccountResumed,
  type AccountSuspended,
  type BillingSet,
  type CreditLineSet,
  type KeyDirectoryRemoved,
  type KeyDirectorySet,
  type SigningKeyAdded,
  type SigningKeyRevoked,
  type WalletAttached,
  type WalletDetached,
  type WayToPaySet,
} from './account.js';

const stream = 'account/{tenant}/{customer}';
const customer = z.templateLiteral(['cus_', z.string().regex(/^[0-9a-f]{24}$/)]).meta({ description: 'The account' });
const creditLine = atomicAmount.meta({ description: 'What may be owed at most, atomic units of the token, decimal' });
const period = z.literal('month');
const timeZone = z.string().meta({ description: 'IANA zone on whose clocks the months are' });
const method = z.enum(['x402', 'card', 'transfer']);
const key = digest.meta({ description: 'RFC 7638 thumbprint of the key' });
const wallet = address;

const opened = shapeOf<AccountOpened>()({
  type: 'AccountOpened',
  schema: 1,
  stream,
  when: 'A provider opened an account for a customer, who may pay later.',
  data: z.strictObject({
    customer,
    currency: z.literal('USD').meta({ description: 'ISO 4217' }),
    network,
    asset: address,
    decimals: z.int().min(0).max(36).meta({ description: 'Of the token, in whose atomic units the account is kept' }),
    creditLine,
    period,
    timeZone,
    wayToPay: method,
    openedAt: instant,
  }),
});

const creditLineSet = shapeOf<CreditLineSet>()({
  type: 'CreditLineSet',
  schema: 1,
  stream,
  when: 'A provider said how much a customer may owe.',
  data: z.strictObject({ customer, creditLine }),
});

const billingSet = shapeOf<BillingSet>()({
  type: 'BillingSet',
  schema: 1,
  stream,
  when: 'A provider said which periods the invoices of a customer cover.',
  data: z.strictObject({ customer, period, timeZone }),
});

const wayToPaySet = shapeOf<WayToPaySet>()({
  type: 'WayToPaySet',
  schema: 1,
  stream,
  when: 'A provider noted how a customer means to pay its invoices.',
  data: z.strictObject({
    customer,
    method,
    reference: z.string().optional().meta({ description: "What the card processor calls the customer's card" }),
  }),
});

const attached = shapeOf<WalletAttached>()({
  type: 'WalletAttached',
  schema: 1,
  stream,
  when: 'A wallet was noted as belonging to a customer.',
  data: z.strictObject({ customer, wallet }),
});

const detached = shapeOf<WalletDetached>()({
  type: 'WalletDetached',
  schema: 1,
  stream,
  when: 'A wallet belongs to a customer no more.',
  data: z.strictObject({ customer, wallet }),
});

const keyAdded = shapeOf<SigningKeyAdded>()({
  type: 'SigningKeyAdded',
  schema: 1,
  stream,
  when: 'A customer got one more key by which it signs what it will pay for.',
  data: z.strictObject({
    customer,
    key,
    jwk: z
      .strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: digest })
      .meta({ description: 'RFC 8037' }),
    source: z.enum(['provider', 'directory']).meta({ description: "`directory`: the customer's own key directory" }),
  }),
});

const keyRevoked = shapeOf<SigningKeyRevoked>()({
  type: 'SigningKeyRevoked',
  schema: 1,
  stream,
  when: 'A key of a customer signs nothing any more, for ever.',
  data: z.strictObject({ customer, key }),
});

const directorySet = shapeOf<KeyDirectorySet>()({
  type: 'KeyDirectorySet',
  schema: 1,
  stream,
  when: 'A provider noted where a customer publishes the keys by which it signs.',
  data: z.strictObject({
    customer,
    url: z.string(),
    allowPrivate: z.boolean().meta({ description: 'Whether it may be at an address that is not public' }),
  }),
});

const directoryRemoved = shapeOf<KeyDirectoryRemoved>()({
  type: 'KeyDirectoryRemoved',
  schema: 1,
  stream,
  when: "A customer's key directory is not read any more.",
  data: z.strictObject({ customer }),
});

const suspended = shapeOf<AccountSuspended>()({
  type: 'AccountSuspended',
  schema: 1,
  stream,
  when: 'A customer may owe nothing more; it can still pay at once.',
  data: z.strictObject({ customer, reason: z.enum(['overdue', 'on_request', 'abuse', 'other']) }),
});

const resumed = shapeOf<AccountResumed>()({
  type: 'AccountResumed',
  schema: 1,
  stream,
  when: 'A customer may pay later again.',
  data: z.strictObject({ customer }),
});

export const accountShapes: readonly EventShape[] = [
  ...[opened, creditLineSet, billingSet, wayToPaySet, attached, detached, keyAdded, keyRevoked],
  ...[directorySet, directoryRemoved, suspended, resumed],
];
