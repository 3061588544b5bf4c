import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CardProcessor } from '../../src/domains/settlement/cards/card-processor.js';
import { StripeProcessors } from '../../src/domains/settlement/cards/stripe.js';
import type { FailureKind } from '../stripe-server/failures.js';
import { eventually } from '../support/eventually.js';
import { Stripe, type StripeAccount } from '../support/stripe.js';
import { chargeRequest, credentialsOf, newCard } from '../support/stripe-charges.js';

const TIMEOUT_MS = 1_500;

let stripe: Stripe;
let account: StripeAccount;
let processor: CardProcessor;
const processors = new StripeProcessors(TIMEOUT_MS);

beforeAll(async () => {
  stripe = await Stripe.start();
});
afterAll(async () => {
  await processors.stop();
  await stripe.stop();
});
beforeEach(async () => {
  account = await stripe.account();
  processor = processors.processorOf(credentialsOf(account));
});

describe('a refund', () => {
  async function charged() {
    const word = await processor.charge(chargeRequest(await newCard(account)));
    if (word.kind !== 'succeeded') throw new Error(word.kind);
    return word.processorId;
  }

  it.each<FailureKind>(['do_then_break_off', 'do_then_stall', 'do_then_fail', 'break_off'])(
    'that ends in %s is made once in the end',
    async (kind) => {
      const asked = { refund: 'crf_1', processorId: await charged(), amount: 250n };
      expect(await processor.findRefund('crf_1', asked.processorId)).toEqual({ kind: 'absent' });
      await account.fail('POST /v1/refunds', kind);
      expect(await processor.refund(asked)).toMatchObject({ kind: 'unknown' });
      expect(await processor.refund(asked)).toMatchObject({ kind: 'succeeded' });
      expect(await processor.findRefund('crf_1', asked.processorId)).toMatchObject({ kind: 'succeeded' });
      const { refunds } = await account.book();
      expect(refunds.map(({ amount }) => amount)).toEqual([250]);
    },
  );

  it('asked for by ten at once is made once', async () => {
    const asked = { refund: 'crf_1', processorId: await charged(), amount: 100n };
    const words = await Promise.all(Array.from({ length: 10 }, () => processor.refund(asked)));
    expect(words.some(({ kind }) => kind === 'succeeded')).toBe(true);
    expect((await account.book()).refunds).toHaveLength(1);
  });

  it('may be refused, wait, and come back', async () => {
    const processorId = await charged();
    await account.order('refund_outcomes', { outcomes: ['refuse', 'pend'] });
    const refused = await processor.refund({ refund: 'crf_1', processorId, amount: 250n });
    expect(refused).toEqual({ kind: 'failed', code: 'balance_insufficient' });
    const word = await processor.refund({ refund: 'crf_2', processorId, amount: 250n });
    expect(word).toMatchObject({ kind: 'processing' });
    if (word.kind !== 'processing') return;
    await account.order('finish_refund', { refund: word.processorId, status: 'failed' });
    const failed = { kind: 'failed', processorId: word.processorId, code: 'expired_or_canceled_card' };
    expect(await processor.findRefund('crf_2', processorId)).toEqual(failed);
  });

  it('is never more than was taken', async () => {
    const processorId = await charged();
    const refunds = Array.from({ length: 8 }, (_, n) =>
      processor.refund({ refund: `crf_${n}`, processorId, amount: 400n }),
    );
    const kinds = (await Promise.all(refunds)).map(({ kind }) => kind).sort();
    expect(kinds).toEqual([...Array(5).fill('failed'), ...Array(3).fill('succeeded')]);
  });
});

describe('a dispute', () => {
  async function disputed(inquiry = false) {
    const word = await processor.charge(chargeRequest(await newCard(account)));
    if (word.kind !== 'succeeded') throw new Error(word.kind);
    const { id } = await account.order('open_dispute', { intent: word.processorId, inquiry });
    return { disputeId: id, processorId: word.processorId };
  }

  it('is told with its fee, takes evidence once, and is won', async () => {
    const { disputeId, processorId } = await disputed();
    const open = {
      disputeId,
      processorId,
      amount: 1_250n,
      fee: 1_500n,
      reason: 'fraudulent',
      status: 'needs_response',
    };
    expect(await processor.findDisputes(processorId)).toMatchObject([open]);
    const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(5_000)]);
    await account.fail('POST /v1/disputes', 'do_then_break_off');
    const submit = (key: string) => processor.submitEvidence(disputeId, key, { text: 'It was delivered.', pdf });
    expect(await submit('e1')).toMatchObject({ kind: 'unknown' });
    expect(await submit('e1')).toEqual({ kind: 'submitted' });
    expect(await submit('e2')).toEqual({ kind: 'refused', code: 'invalid_request' });
    expect(await processor.findDisputes(processorId)).toMatchObject([{ status: 'under_review' }]);
    const { disputes, files } = await account.book();
    const { uncategorized_file, uncategorized_text } = disputes[0]!.evidence;
    expect(uncategorized_text).toBe('It was delivered.');
    expect(files.find(({ id }) => id === uncategorized_file)).toMatchObject({
      size: pdf.length,
      filename: 'evidence.pdf',
    });
    await account.order('close_dispute', { dispute: disputeId, status: 'won' });
    expect(await processor.findDisputes(processorId)).toMatchObject([{ status: 'won', fee: 1_500n }]);
  });

  it('is none if its holder only asks', async () => {
    const { processorId } = await disputed(true);
    expect(await processor.findDisputes(processorId)).toEqual([]);
  });

  it('is not known while the processor is away', async () => {
    const { processorId } = await disputed();
    await account.fail('GET /v1/disputes', 'fail');
    expect(await processor.findDisputes(processorId)).toMatchObject({ kind: 'unknown' });
  });
});

describe('where it is', () => {
  it('is no private address without leave, and nobody there hears of it', async () => {
    const closed = processors.processorOf(credentialsOf(account, { allowPrivate: false }));
    const asked = chargeRequest(await newCard(account));
    expect(await closed.charge(asked)).toMatchObject({ kind: 'unknown' });
    expect((await account.book()).asked).toEqual([]);
  });

  it('is where the tenant says: a redirect is not followed, and an endless answer ends', async () => {
    const elsewhere = createServer((incoming, reply) => {
      if (incoming.url!.includes('payment_methods'))
        reply.writeHead(307, { location: `${stripe.url}${incoming.url}` }).end();
      else setInterval(() => reply.write(' '.repeat(1_000)), 20).unref();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const apiBase = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    const moved = processors.processorOf(credentialsOf(account, { apiBase }));
    expect(await moved.charge(chargeRequest(await newCard(account)))).toMatchObject({ kind: 'unknown' });
    expect(await moved.findDisputes('pi_1')).toMatchObject({ kind: 'unknown' });
    expect((await account.book()).asked).toEqual([]);
    elsewhere.closeAllConnections();
    elsewhere.close();
  });
});

describe('webhooks', () => {
  let server: Server;
  const heard: { readonly body: Buffer; readonly signature: string | undefined }[] = [];

  beforeAll(async () => {
    server = createServer(async (incoming, reply) => {
      const body = Buffer.concat(await incoming.toArray());
      heard.push({ body, signature: incoming.headers['stripe-signature'] as string });
      reply.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());

  it('are believed if they are signed, in time, with the secret of this account', async () => {
    await account.order('webhook_url', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const asked = chargeRequest(await newCard(account));
    const word = await processor.charge(asked);
    if (word.kind !== 'succeeded') throw new Error(word.kind);
    await account.order('open_dispute', { intent: word.processorId });
    const { events } = await account.book();
    await eventually(() => heard.length === events.length);
    const webhook = processors.webhookOf(credentialsOf(account));
    const now = new Date();
    const hints = await Promise.all(heard.map(({ body, signature }) => webhook.read(body, signature, now)));
    const { processorId } = word;
    expect(hints).toContainEqual({ charge: asked.charge, processorId });
    expect(hints).toContainEqual({ processorId });
    const [{ body, signature }] = heard as [(typeof heard)[number]];
    const later = new Date(now.getTime() + 302_000);
    const wrong = await Promise.all([
      webhook.read(Buffer.concat([body, Buffer.from(' ')]), signature, now),
      webhook.read(body, signature?.replace('v1=', 'v1=0'), now),
      webhook.read(body, signature?.replace(/v1=\w+,/, ''), now),
      webhook.read(body, undefined, now),
      webhook.read(Buffer.from(''), signature, now),
      webhook.read(body, signature, later),
      processors.webhookOf(credentialsOf(account, { webhookSecret: 'whsec_other' })).read(body, signature, now),
      processors.webhookOf(credentialsOf(account, { webhookSecret: '' })).read(body, signature, now),
    ]);
    expect(wrong).toEqual(Array(wrong.length).fill('bad_signature'));
  });
});
