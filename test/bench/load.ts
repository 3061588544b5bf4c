/**
 * The load generator, in a process of its own and the same for every server: prepares everything that is not to be
 * measured, says `ready`, and runs when told to.
 */
import { Connection, getRequest, type Reply } from './connection.js';
import { Pace } from './pace.js';
import { quantile } from './quantile.js';
import { type Holder, signerOf } from './sign-commitment.js';
import { forgePayment, type Payer, signPayment, testPayers } from './sign-payment.js';

/**
 * What to do next. Offers are asked for a time; payments are a number, as each is prepared: as fast as they are answered,
 * or at a steady rate a second. Forgeries are payments that nobody signed, half of them in the names of the payers.
 */
export type Job =
  | { readonly kind: 'gets'; readonly url: string; readonly seconds: number }
  | {
      readonly kind: 'payments' | 'forgeries';
      readonly url: string;
      readonly count: number;
      readonly payers: number;
      readonly rate?: number;
    }
  /** Requests that the holders of accounts sign and pay later. */
  | { readonly kind: 'commitments'; readonly url: string; readonly count: number; readonly holders: readonly Holder[] };

export interface Outcome {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds from the first byte sent to the last byte received. */
  readonly p50: number;
  readonly p99: number;
  /** Replies by status, to be checked: a fast refusal is no fast answer. */
  readonly statuses: Readonly<Record<number, number>>;
}

const CONNECTIONS = 50;
/** Different ones in a stock. */
const FORGERIES = 2_000;

process.on('message', async (message: Job | 'run') => {
  if (message === 'run') return;
  const url = new URL(message.url);
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(url)));
  const next = await requestsOf(url, message, connections);
  process.send?.('ready');
  await told();
  const seconds = message.kind === 'gets' ? message.seconds : Number.POSITIVE_INFINITY;
  const rate = 'rate' in message ? message.rate : undefined;
  process.send?.(await drive(connections, next, { seconds, rate }));
  for (const connection of connections) connection.close();
});

async function requestsOf(url: URL, job: Job, connections: Connection[]): Promise<() => Buffer | undefined> {
  if (job.kind === 'gets') return endless(url);
  return job.kind === 'commitments' ? prepareCommitments(url, job, connections) : prepare(url, job, connections);
}

function told(): Promise<void> {
  return new Promise((resolve) => {
    process.once('message', () => resolve());
  });
}

/** Fetches one fresh offer per payment, then signs them all. Of forgeries a stock is made, and sent over and over. */
async function prepare(url: URL, job: Extract<Job, { payers: number }>, connections: Connection[]) {
  const { count, kind, payers } = job;
  const accounts = testPayers(payers);
  const asks = accounts.map(({ address }) => {
    // A price by volume needs a name; forgers ask like anybody.
    return getRequest(url, kind === 'payments' ? { 'tollbook-payer': address } : {});
  });
  const offers: { readonly offer: string; readonly payer: Payer }[] = [];
  let asked = 0;
  const stock = kind === 'payments' ? count : Math.min(count, FORGERIES);
  const next = () => (asked++ < stock ? asks[asked % payers] : undefined);
  await drive(connections, next, {}, (reply, ask) => {
    offers.push({ offer: offerOf(reply), payer: accounts[asks.indexOf(ask)]! });
  });
  const now = Math.floor(Date.now() / 1000);
  const pay = kind === 'payments' ? signPayment : forgePayment;
  const requests = offers.map(({ offer, payer }) => getRequest(url, { 'payment-signature': pay(offer, payer, now) }));
  let sent = 0;
  return () => (sent < count ? requests[sent++ % requests.length] : undefined);
}

/** One fresh offer for each, as for payments; each is signed by the next of the holders. */
async function prepareCommitments(
  url: URL,
  { count, holders }: Extract<Job, { kind: 'commitments' }>,
  connections: Connection[],
) {
  const ask = getRequest(url);
  const offers: string[] = [];
  let asked = 0;
  await drive(
    connections,
    () => (asked++ < count ? ask : undefined),
    {},
    (reply) => offers.push(offerOf(reply)),
  );
  const now = Date.now();
  const sign = await Promise.all(holders.map(signerOf));
  const requests = await Promise.all(
    offers.map(async (offer, n) => getRequest(url, await sign[n % sign.length]!(url, offer, now))),
  );
  let sent = 0;
  return () => requests[sent++];
}

function offerOf({ status, head }: Reply): string {
  const offer = /\r\npayment-required: *([^\r]+)/i.exec(head)?.[1];
  if (status !== 402 || offer === undefined) throw new Error(`no offer came, but ${status}`);
  return offer;
}

function endless(url: URL): () => Buffer {
  const request = getRequest(url);
  return () => request;
}

/** Every connection sends its next request as soon as it has its answer, or when it is due. */
async function drive(
  connections: readonly Connection[],
  next: () => Buffer | undefined,
  { seconds = Number.POSITIVE_INFINITY, rate }: { readonly seconds?: number; readonly rate?: number },
  onReply?: (reply: Reply, request: Buffer) => void,
): Promise<Outcome> {
  const times: number[] = [];
  const statuses: Record<number, number> = {};
  const start = performance.now();
  const end = start + seconds * 1000;
  const pace = rate === undefined ? undefined : new Pace(rate, start);
  const work = async (connection: Connection) => {
    for (let request = next(); request !== undefined && performance.now() < end; request = next()) {
      const begun = (await pace?.next()) ?? performance.now();
      const reply = await connection.send(request);
      times.push(performance.now() - begun);
      statuses[reply.status] = (statuses[reply.status] ?? 0) + 1;
      onReply?.(reply, request);
    }
  };
  await Promise.all(connections.map(work));
  const elapsed = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  return { requests: times.length, seconds: elapsed, p50: quantile(times, 0.5), p99: quantile(times, 0.99), statuses };
}
