import type { CreditReason } from '../invoice.js';
import type { DocumentLine, InvoiceDocument, Party } from '../invoice-document.js';
import { amountText, countText, dayText, periodText } from './amount-text.js';
import { residueText } from './residue-text.js';

/** One line of the table of what is charged. */
export interface RowText {
  readonly description: string;
  /** Under the description, smaller: period, tariff, how many events. */
  readonly detail: string;
  readonly quantity: string;
  readonly amount: string;
}

/** One line under the table; the last ones are what is to be paid. */
export interface SumText {
  readonly label: string;
  readonly amount: string;
  readonly strong: boolean;
}

export interface PartyText {
  readonly role: string;
  readonly name: string;
  readonly lines: readonly string[];
}

/** A paragraph below the sums. A link stands after its text, spelled out, since paper cannot be clicked. */
export interface NoteText {
  readonly heading: string;
  readonly text: string;
  readonly link?: string;
}

/** All that a document says, in the order in which it says it, so that a page and a PDF only lay it out and never differ. */
export interface DocumentText {
  readonly title: string;
  /** In large letters beside the title: what is not (or not any more) to be paid. */
  readonly mark?: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly parties: readonly PartyText[];
  readonly columns: readonly [description: string, quantity: string, amount: string];
  readonly rows: readonly RowText[];
  readonly sums: readonly SumText[];
  readonly notes: readonly NoteText[];
}

const TITLES = { invoice: 'Invoice', credit_note: 'Credit note', draft: 'Draft invoice' } as const;
const REASONS: Readonly<Record<CreditReason, string>> = {
  duplicate: 'Charged twice',
  quality: 'Not as agreed',
  not_delivered: 'Not delivered',
  pricing: 'Price corrected',
  on_request: 'At your request',
  other: 'Other',
};
const MARKS: Readonly<Record<string, string>> = { draft: 'Draft', void: 'Void', paid: 'Paid' };

/** Pure: what a document says to people. */
export function documentText(document: InvoiceDocument): DocumentText {
  const title = TITLES[document.kind];
  return {
    title: document.number === undefined ? title : `${title} ${document.number}`,
    ...markPart(document),
    facts: factsOf(document),
    parties: [partyText('From', document.seller), partyText('To', document.buyer)],
    columns: ['Description', 'Quantity', `Amount (${document.currency})`],
    rows: document.lines.map((line) => rowText(line, document)),
    sums: sumsOf(document),
    notes: notesOf(document),
  };
}

function markPart({ kind, state }: InvoiceDocument): { mark?: string } {
  const mark = kind === 'credit_note' ? undefined : MARKS[kind === 'draft' ? 'draft' : state];
  return mark === undefined ? {} : { mark };
}

function factsOf(document: InvoiceDocument): [string, string][] {
  const { customer, dueAt, id, issuedAt, of, period, reason, timeZone } = document;
  const facts: [string, string | undefined][] = [
    ['For invoice', of],
    ['Reason', reason && REASONS[reason]],
    ['Issued', issuedAt && dayText(issuedAt, timeZone)],
    ['Due', dueAt && dayText(dueAt, timeZone)],
    ['Period', `${periodText(period, timeZone)} (${timeZone})`],
    ['Account', customer],
    // Not the reference of a transfer, which is the number.
    ['Id', id],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
}

function partyText(role: string, { country, email, lines, name, taxId }: Party): PartyText {
  // Nobody lives in ZZ: a party that was not described.
  const rest = [country === 'ZZ' ? undefined : country, taxId && `Tax ID ${taxId}`, email];
  return { role, name, lines: [...lines, ...rest.filter((line) => line !== undefined && line !== '')] as string[] };
}

function rowText(line: DocumentLine, { minorDigits, period, timeZone }: InvoiceDocument): RowText {
  const own = line.period.from === period.from && line.period.to === period.to;
  const detail = [
    own ? '' : periodText(line.period, timeZone),
    line.tariff ? `tariff ${line.tariff.id}, version ${line.tariff.version}` : '',
    line.meter === undefined ? '' : `meter ${line.meter}`,
    // A request is its own event: its quantity says as much.
    line.kind === 'requests' || line.events === undefined ? '' : countText(String(line.events), 'event'),
  ];
  return {
    description: line.description,
    detail: detail.filter((part) => part !== '').join(' · '),
    quantity: line.quantity === undefined ? '' : countText(line.quantity, line.unit ?? ''),
    amount: amountText(BigInt(line.amount), minorDigits),
  };
}

function sumsOf(document: InvoiceDocument): SumText[] {
  const { credited, currency, kind, minorDigits, outstanding, paid, subtotal, taxes, total } = document;
  const amount = (minor: string, sign = 1n) => amountText(BigInt(minor) * sign, minorDigits);
  const sum = (label: string, text: string, strong = false): SumText => ({ label, amount: text, strong });
  const sums = [sum('Subtotal', amount(subtotal))];
  for (const tax of taxes) sums.push(sum(`${tax.name} ${tax.percent}% on ${amount(tax.taxable)}`, amount(tax.amount)));
  sums.push(sum(`Total ${currency}`, amount(total), true));
  if (kind !== 'invoice') return sums;
  if (paid !== '0') sums.push(sum('Paid', amount(paid, -1n)));
  if (credited !== '0') sums.push(sum('Credited', amount(credited, -1n)));
  sums.push(sum(`To pay ${currency}`, amount(outstanding), true));
  return sums;
}

function notesOf(document: InvoiceDocument): NoteText[] {
  const notes = [...howToPay(document), ...returnedNote(document), ...residueNote(document)];
  if (document.kind !== 'draft') return notes;
  const text = 'Not an invoice: what it says can change until it is issued, and nothing is to be paid yet.';
  return [{ heading: 'Draft', text }, ...notes];
}

function howToPay({ kind, number, outstanding, payUrl, seller, state }: InvoiceDocument): NoteText[] {
  if (kind !== 'invoice' || outstanding === '0' || state === 'void' || state === 'uncollectible') return [];
  const notes: NoteText[] = [];
  if (seller.payment && seller.payment.length > 0) {
    const reference = number === undefined ? '' : `\nReference: ${number}`;
    notes.push({ heading: 'Pay by transfer', text: seller.payment.join('\n') + reference });
  }
  if (payUrl !== undefined) {
    const text = 'Any x402 client pays it by one request, whose price is what is still to be paid:';
    notes.push({ heading: 'Pay in stablecoin (x402)', text, link: payUrl });
  }
  return notes;
}

function returnedNote({ currency, minorDigits, returned = '0' }: InvoiceDocument): NoteText[] {
  if (returned === '0') return [];
  const amount = amountText(BigInt(returned), minorDigits);
  return [
    { heading: 'Paid already', text: `${amount} ${currency} of it was paid, and is in your prepaid balance now.` },
  ];
}

function residueNote(document: InvoiceDocument): NoteText[] {
  if (document.residue === '0') return [];
  const text = `Amounts are rounded once, so that the lines sum to the subtotal. Rounding moved it by ${residueText(document)}.`;
  return [{ heading: 'Rounding', text }];
}
