import { createHash } from 'node:crypto';
import type { Hex } from '../../src/base/shared/hex.js';
import { parseAddress, parseBytes32, parseNetwork } from '../../src/base/shared/hex.js';
import { type PaymentId, paymentIdOf } from '../../src/domains/payments/payment.js';
import { type Payer, signPayment, testPayers } from '../bench/sign-payment.js';

/** A signed payment for one request, which can be presented any number of times. */
export interface Ticket {
  readonly id: PaymentId;
  readonly path: string;
  readonly header: string;
  /** JSON to post; without it the request is a GET. */
  readonly body?: object;
}

/** What one presentation came to. `lost`: the connection broke, or was refused. */
export interface Outcome {
  readonly ticket: Ticket;
  readonly status: number | 'lost' | 'hung';
  /** Code of the problem, if it is one. */
  readonly code: string | undefined;
  readonly body: string;
}

/** No reply takes longer, whatever has been killed; beyond it counts as a hang. */
const HANG_MS = 30_000;
const [payer] = testPayers(1) as [Payer];

/** Who pays in these tests. */
export const PAYER: Hex = payer.address;

/** The market's tenant is the one of 127.0.0.1, the demo's that of every other name. */
function urlOf(gateway: string, path: string): string {
  return (path.startsWith('/demo/') ? gateway : gateway.replace('localhost', '127.0.0.1')) + path;
}

export async function sign(gateway: string, path: string, body?: object): Promise<Ticket> {
  const response = await fetch(urlOf(gateway, path), requestOf(body));
  const text = await response.text();
  const offer = response.headers.get('payment-required');
  if (offer === null) throw new Error(`${path}: ${response.status} ${text}`);
  const header = signPayment(offer, payer, Math.floor(Date.now() / 1000));
  return { id: idIn(header), path, header, body };
}

function requestOf(body: object | undefined, headers: Record<string, string> = {}): RequestInit {
  if (body === undefined) return { headers };
  return { method: 'POST', body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } };
}

export function signMany(gateway: string, path: string, count: number): Promise<Ticket[]> {
  return Promise.all(Array.from({ length: count }, () => sign(gateway, path)));
}

/** Presents a payment. Never rejects: what went wrong is the outcome. */
export async function present(gateway: string, ticket: Ticket): Promise<Outcome> {
  const signal = AbortSignal.timeout(HANG_MS);
  try {
    const request = requestOf(ticket.body, { 'payment-signature': ticket.header });
    const response = await fetch(urlOf(gateway, ticket.path), { ...request, signal });
    const body = await response.text();
    const problem = response.headers.get('content-type')?.startsWith('application/problem+json');
    const code = problem ? (JSON.parse(body) as { code: string }).code : undefined;
    return { ticket, status: response.status, code, body };
  } catch {
    return { ticket, status: signal.aborted ? 'hung' : 'lost', code: undefined, body: '' };
  }
}

/** Lets the gateway get to know the payer, so that it is served `async` for the next seconds. */
export async function introduce(gateway: string): Promise<Outcome> {
  return present(gateway, await sign(gateway, '/quick'));
}

/** Presents all tickets, `lanes` at a time; `onAnswer` is told after each how many there were so far. */
export async function load(
  gateway: string,
  tickets: readonly Ticket[],
  lanes: number,
  onAnswer: (answered: number) => void = () => undefined,
): Promise<Outcome[]> {
  const left = [...tickets];
  const outcomes: Outcome[] = [];
  const lane = async (): Promise<void> => {
    for (let ticket = left.shift(); ticket; ticket = left.shift()) {
      outcomes.push(await present(gateway, ticket));
      onAnswer(outcomes.length);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return outcomes;
}

/** A whole number in 1..max, the same for the same seed: when to strike, say. */
export function seeded(seed: number, max: number): number {
  return 1 + (createHash('sha256').update(String(seed)).digest().readUInt32BE() % max);
}

function idIn(header: string): PaymentId {
  const { accepted, payload } = JSON.parse(Buffer.from(header, 'base64').toString());
  return paymentIdOf({
    network: parseNetwork(accepted.network)!,
    asset: parseAddress(accepted.asset)!,
    payer: payer.address,
    nonce: parseBytes32(payload.authorization.nonce)!,
  });
}
