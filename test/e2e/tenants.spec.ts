import { decodeJwt } from 'jose';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import { type Call, codeOf, send } from '../support/http.js';
import { addressOf, ask, buy, newBuyer, offerOf, present, sign, signV1 } from '../support/payment.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

/** Two providers that are paid at one address, with the same route at the same price. */
const TENANTS = ['left', 'right'] as const;
/** At each of the two. */
const PRESENTATIONS = 16;
const SETTLE_MS = 20_000;

let app: App;
let books: Books;
let upstream: CountingUpstream;

beforeAll(async () => {
  [app, upstream] = await Promise.all([startApp(), countingUpstream((_request, reply) => reply.end('sold'))]);
  books = new Books(app.engines);
  await publish(
    app.engines.postgres,
    TENANTS.flatMap((id) => [
      new RegisterTenant(tenantWith({ id, host: `${id}.example`, upstream: upstream.url })),
      new PublishTariff(id, 'flat', flat('1000')),
      new PublishRoute(routeWith({ id: 'thing', tenant: id })),
    ]),
  );
  await eventually(() => Promise.all(TENANTS.map((id) => ask(at(id)))));
});

afterAll(async () => {
  await books?.close();
  await app?.stop();
  await upstream?.stop();
});

/** What the offers of the official offer-receipt extension say. */
function signedOffersIn(extensions: Record<string, unknown> = {}): readonly object[] {
  const { info } = extensions['offer-receipt'] as { info: { offers: { signature: string }[] } };
  return info.offers.map(({ signature }) => decodeJwt(signature));
}

function at(tenant: (typeof TENANTS)[number]): Call {
  return { url: `${app.gateway}/thing`, headers: { host: `${tenant}.example` } };
}

describe('a tenant with a host of its own', () => {
  const publicUrl = (id: string) => `http://${id}.example:${new URL(app.gateway).port}/thing`;

  it('is named in what it offers, in every form, whatever else the request says', async () => {
    const lies = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example', 'x-forwarded-proto': 'gopher' };
    for (const id of TENANTS) {
      const call = at(id);
      const reply = await send({ ...call, headers: { ...call.headers, ...lies } });
      const { extensions, resource } = offerOf(reply);
      expect(resource.url).toBe(publicUrl(id));
      expect(JSON.parse(reply.body).accepts[0].resource).toBe(publicUrl(id));
      expect(signedOffersIn(extensions)).toEqual([expect.objectContaining({ resourceUrl: publicUrl(id) })]);
      expect(JSON.stringify(reply.headers) + reply.body).not.toMatch(/evil|gopher/);
      const page = await send({ ...call, headers: { ...call.headers, accept: 'text/html' } });
      expect(page.body).toContain(`pay(&quot;${publicUrl(id)}&quot;)`);
    }
  });

  it('keeps its name by another spelling of the host', async () => {
    const reply = await send({ ...at('left'), headers: { host: 'LEFT.example.:1234' } });
    expect(offerOf(reply).resource.url).toBe(publicUrl('left'));
  });

  it('is named in receipts', async () => {
    const buyer = await newBuyer(app, 1_000_000n);
    const { headers } = await buy(buyer, at('right'));
    const receipt = await send({ url: `${app.gateway}/receipts/${headers['tollbook-payment']}` });
    expect(JSON.parse(receipt.body).receipt.resource).toBe(publicUrl('right'));
    const answer = JSON.parse(Buffer.from(String(headers['payment-response']), 'base64').toString());
    const { signature } = answer.extensions['offer-receipt'].info.receipt;
    expect(decodeJwt(signature)).toMatchObject({ resourceUrl: publicUrl('right') });
  });
});

describe('an authorization that is good for two tenants', () => {
  it('buys at one of them only, though it is shown to both at once', async () => {
    const buyer = await newBuyer(app, 1_000_000n);
    for (const id of TENANTS) expect(await buy(buyer, at(id))).toMatchObject({ status: 200 });
    const before = upstream.runs();
    const payment = await signV1(buyer, await ask(at('left')));
    const replies = await Promise.all(
      TENANTS.map((id) => Promise.all(Array.from({ length: PRESENTATIONS }, () => present(at(id), payment)))),
    );
    expect(upstream.runs()).toBe(before + 1);
    const [seller, other] = replies[0]!.some(({ status }) => status === 200) ? replies : replies.toReversed();
    expect(other!.map(codeOf)).toEqual(Array(PRESENTATIONS).fill('authorization_used_elsewhere'));
    // Version 1 repeats are answered until the authorization is broadcast, which may be soon.
    const late = seller!.filter(({ status }) => status !== 200).map(codeOf);
    expect(late).toEqual(Array(late.length).fill('replay_closed'));
    expect(late.length).toBeLessThan(PRESENTATIONS);
    await eventually(async () => (await books.transfersFrom(addressOf(buyer))).length === 3, SETTLE_MS);
  });

  it('is worth nothing at the one whose quote it does not hold', async () => {
    const buyer = await newBuyer(app, 1_000_000n);
    const payment = await sign(buyer, await ask(at('left')));
    const before = upstream.runs();
    const reply = await present(at('right'), payment);
    expect(reply.status).toBe(402);
    expect(reply.body).toContain('"error":"quote_invalid"');
    expect(upstream.runs()).toBe(before);
    expect(await present(at('left'), payment)).toMatchObject({ status: 200, body: 'sold' });
  });
});
