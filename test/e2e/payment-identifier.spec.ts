import { appendPaymentIdentifierToExtensions } from '@x402/extensions/payment-identifier';
import type { LocalAccount } from 'viem';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import { type Call, codeOf, open } from '../support/http.js';
import { addressOf, ask, buy, idOf, newBuyer, offerOf, present, sign, withPayment } from '../support/payment.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const BALANCE = 1_000_000n;
const SETTLE_MS = 20_000;

let app: App;
let books: Books;

beforeAll(async () => {
  app = await startApp();
  books = new Books(app.engines);
});

afterAll(async () => {
  await books?.close();
  await app?.stop();
});

const weather = (): Call => ({ url: `${app.gateway}/demo/weather` });
const slow = (): Call => ({ url: `${app.gateway}/demo/slow` });

/** As the official extension package does it: the offer's declaration, with the client's own id in it. */
async function identified(account: LocalAccount, call: Call, identifier: string) {
  const offer = await ask(call);
  const extensions = appendPaymentIdentifierToExtensions(structuredClone(offer.extensions ?? {}), identifier);
  const payment = await sign(account, { ...offer, extensions });
  return { payment, id: idOf(offer, payment) };
}

/** Everything that this payer ever authorized is settled, by so many transfers. */
function charged(account: LocalAccount, times: number) {
  return eventually(async () => {
    const transfers = await books.transfersFrom(addressOf(account));
    expect(transfers).toHaveLength(times);
    return true;
  }, SETTLE_MS);
}

describe('a payment identifier', () => {
  it.each([
    ['async', weather],
    ['after', slow],
  ])('lets a client that lost its answer on an %s route sign anew, for one charge', async (mode, call) => {
    const buyer = await newBuyer(app, BALANCE);
    if (mode === 'async') await buy(buyer, call());
    const identifier = `lost-answer-${mode}`;
    const first = await identified(buyer, call(), identifier);
    const broken = await open(withPayment(call(), first.payment));
    const lost = { payment: broken.headers['tollbook-payment'], response: broken.headers['payment-response'] };
    broken.destroy();

    const second = await identified(buyer, call(), identifier);
    const answer = await present(call(), second.payment);

    expect(answer).toMatchObject({ status: 200, headers: { 'tollbook-payment': first.id } });
    expect(answer.headers['payment-response']).toBe(lost.response);
    expect(lost.payment).toBe(first.id);
    expect(await present(call(), first.payment)).toMatchObject({ status: 200, body: answer.body });
    expect(await books.runsOf(first.id)).toBe(1);
    expect(await books.stateOf(second.id)).toEqual({ status: 'unknown' });
    await charged(buyer, mode === 'async' ? 2 : 1);
  });

  it('names one purchase, however many authorizations come for it at once', async () => {
    const buyer = await newBuyer(app, BALANCE);
    await buy(buyer, weather());
    const tries = await Promise.all(Array.from({ length: 8 }, () => identified(buyer, weather(), 'all-at-once-00001')));
    const replies = await Promise.all(tries.map(({ payment }) => present(weather(), payment)));
    expect(replies.map(({ status }) => status)).toEqual(tries.map(() => 200));
    expect(new Set(replies.map(({ body }) => body)).size).toBe(1);
    expect(new Set(replies.map(({ headers }) => headers['tollbook-payment'])).size).toBe(1);
    expect(await books.admissionsOf(addressOf(buyer))).toBe(2);
    await charged(buyer, 2);
  });

  it('finds the answer also for a payer who spent the last of its money on it', async () => {
    const call = slow();
    const buyer = await newBuyer(app, BigInt((await ask(call)).accepts[0].amount));
    const first = await identified(buyer, call, 'nothing-left-at-all');
    const answer = await present(call, first.payment);
    expect(answer.status).toBe(200);
    await eventually(async () => offerOf(await buy(buyer, call)).error === 'insufficient_funds');
    const second = await identified(buyer, call, 'nothing-left-at-all');
    expect(await present(call, second.payment)).toMatchObject({ status: 200, body: answer.body });
    await charged(buyer, 1);
  });

  it('names no other request', async () => {
    const buyer = await newBuyer(app, BALANCE);
    const first = await identified(buyer, weather(), 'one-request-only-1');
    expect(await present(weather(), first.payment)).toMatchObject({ status: 200 });
    const other = await identified(buyer, slow(), 'one-request-only-1');
    const reply = await present(slow(), other.payment);
    expect([reply.status, codeOf(reply)]).toEqual([409, 'payment_identifier_conflict']);
    expect(await books.stateOf(other.id)).toEqual({ status: 'unknown' });
    await charged(buyer, 1);
  });

  it('of another payer is another identifier', async () => {
    const [one, two] = [await newBuyer(app, BALANCE), await newBuyer(app, BALANCE)];
    const mine = await identified(one, weather(), 'the-same-by-chance');
    const answer = await present(weather(), mine.payment);
    const theirs = await identified(two, weather(), 'the-same-by-chance');
    const other = await present(weather(), theirs.payment);
    expect([answer.status, other.status]).toEqual([200, 200]);
    expect(other.body).not.toBe(answer.body);
    expect(other.headers['tollbook-payment']).toBe(theirs.id);
  });

  it('shows the answer to nobody who cannot sign for its payer', async () => {
    const buyer = await newBuyer(app, BALANCE);
    const mine = await identified(buyer, weather(), 'not-a-bearer-ticket');
    expect(await present(weather(), mine.payment)).toMatchObject({ status: 200 });
    const thief = await newBuyer(app, BALANCE);
    const { payment } = await identified(thief, weather(), 'not-a-bearer-ticket');
    const { authorization, signature } = payment.payload;
    const forged = { authorization: { ...authorization, from: addressOf(buyer) }, signature };
    const reply = await present(weather(), { ...payment, payload: forged });
    expect(offerOf(reply).error).toBe('invalid_exact_evm_payload_signature');
  });

  it('may name a new purchase once the first one failed without a charge', async () => {
    let status = 500;
    const upstream: CountingUpstream = await countingUpstream((_request, reply) => {
      reply.writeHead(status).end('{}');
    });
    const { url } = upstream;
    await publish(app.engines.postgres, [
      new RegisterTenant(tenantWith({ id: 'moody', host: 'moody.example', upstream: url })),
      new PublishTariff('moody', 'flat', flat('1000')),
      new PublishRoute(routeWith({ id: 'mood', tenant: 'moody' })),
    ]);
    const call: Call = { url: `${app.gateway}/mood`, headers: { host: 'moody.example' } };
    await eventually(() => ask(call));
    const buyer = await newBuyer(app, BALANCE);
    const failed = await identified(buyer, call, 'second-time-lucky-1');
    expect(await present(call, failed.payment)).toMatchObject({ status: 500 });
    status = 200;
    const again = await identified(buyer, call, 'second-time-lucky-1');
    expect(await present(call, again.payment)).toMatchObject({ status: 200 });
    expect(upstream.runs()).toBe(2);
    await charged(buyer, 1);
    await upstream.stop();
  });
});
