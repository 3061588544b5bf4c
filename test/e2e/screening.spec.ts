import type { ServerResponse } from 'node:http';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { codeOf } from '../support/http.js';
import { addressOf, ask, buy, newBuyer, present, sign } from '../support/payment.js';
import { installationOf } from '../support/sibling.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

let app: App;
let screened: App;
let service: CountingUpstream;
let books: Books;
let answer: Answer;

type Answer = (address: string, reply: ServerResponse) => void;

const says =
  (verdict: string, about?: string): Answer =>
  (address, reply) => {
    reply.end(JSON.stringify({ address: about ?? address, verdict }));
  };

beforeAll(async () => {
  app = await startApp();
  service = await countingUpstream((message, reply) => {
    let body = '';
    message.setEncoding('utf8').on('data', (piece: string) => {
      body += piece;
    });
    message.on('end', () => answer((JSON.parse(body) as { address: string }).address, reply));
  });
  const screening = { SCREENING_URL: service.url, SCREENING_TIMEOUT_MS: '500' };
  screened = await startApp({ env: { ROLE: 'gateway', ...installationOf(app), ...screening } });
  books = new Books(app.engines);
});

afterAll(async () => {
  await books?.close();
  await screened?.stop();
  await service?.stop();
  await app?.stop();
});

beforeEach(() => {
  answer = says('clear');
});

const weather = () => ({ url: `${screened.gateway}/demo/weather` });

describe('a gateway that screens payers', () => {
  it('asks once for a payer, and nobody for strangers', async () => {
    const buyer = await newBuyer(app, 1_000_000n);
    const before = service.runs();
    for (let n = 0; n < 3; n++) expect((await buy(buyer, weather())).status).toBe(200);
    await ask(weather());
    const penniless = await newBuyer(app, 0n);
    expect((await buy(penniless, weather())).status).toBe(402);
    expect(service.runs()).toBe(before + 1);
  });

  it('serves nobody who is denied', async () => {
    answer = says('denied');
    const buyer = await newBuyer(app, 1_000_000n);
    const reply = await buy(buyer, weather());
    expect([reply.status, codeOf(reply)]).toEqual([403, 'payer_denied']);
    expect(await books.admissionsOf(addressOf(buyer))).toBe(0);
  });

  const lies: [string, Answer][] = [
    ['says nothing', () => undefined],
    ['fails', (_, reply) => reply.writeHead(500).end()],
    ['lies', says('clear', `0x${'00'.repeat(20)}`)],
  ];

  it.each(lies)('serves nobody new while the service %s, then takes the same payment', async (_what, lie) => {
    answer = lie;
    const buyer = await newBuyer(app, 1_000_000n);
    const payment = await sign(buyer, await ask(weather()));
    const reply = await present(weather(), payment);
    expect([reply.status, codeOf(reply)]).toEqual([503, 'screening_unavailable']);
    expect(await books.admissionsOf(addressOf(buyer))).toBe(0);
    answer = says('clear');
    expect((await present(weather(), payment)).status).toBe(200);
  });
});
