import type { LocalAccount } from 'viem';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import type { Call } from '../support/http.js';
import { addressOf, ask, buy, idOf, newBuyer, type Offer, offerOf, present, sign } from '../support/payment.js';
import { startSibling } from '../support/sibling.js';
import { broadcast } from '../support/stranger.js';
import { blockUsdc } from '../support/token-powers.js';

const PRICE = 1_000n;
const ELSEWHERE: Address = '0x7011b00c000000000000000000000000000000cc';
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const SETTLE_MS = 20_000;
/** A balance may be believed for 5 s; the rest is for a busy machine. */
const NOTICE_MS = 15_000;

let app: App;
let worker: App;
let books: Books;

beforeAll(async () => {
  app = await startApp({ env: { ROLE: 'gateway' } });
  books = new Books(app.engines);
  worker = await startSibling(app, 'worker');
});

afterAll(async () => {
  await books?.close();
  await worker?.stop();
  await app?.stop();
});

const weather = (): Call => ({ url: `${app.gateway}/demo/weather` });
const slow = (): Call => ({ url: `${app.gateway}/demo/slow` });

/** Paid once, and so known to the gateway. */
async function knownBuyer(balance: bigint): Promise<LocalAccount> {
  const buyer = await newBuyer(app, balance);
  expect(await buy(buyer, weather())).toMatchObject({ status: 200 });
  return buyer;
}

async function mustNotHappen(offer: Offer, payment: Awaited<ReturnType<typeof sign>>): Promise<void> {
  expect(await books.stateOf(idOf(offer, payment))).toEqual({ status: 'unknown' });
  expect(await books.runsOf(idOf(offer, payment))).toBe(0);
}

describe('a wallet without enough money', () => {
  it.each([
    ['async', weather, 0n],
    ['async', weather, PRICE - 1n],
    ['after', slow, 0n],
  ])('never reaches the upstream of an %s route', async (_mode, call, balance) => {
    const buyer = await newBuyer(app, balance);
    const offer = await ask(call());
    const payment = await sign(buyer, offer);
    for (let times = 0; times < 2; times++) {
      expect(offerOf(await present(call(), payment)).error).toBe('insufficient_funds');
    }
    await mustNotHappen(offer, payment);
  });

  it('gets nothing once it is known to be drained, and before that no more than it had', async () => {
    const buyer = await knownBuyer(10n * PRICE);
    const left = 9n * PRICE;
    const { accepts, ...rest } = await ask(weather());
    const [accept] = accepts;
    const away = { ...rest, accepts: [{ ...accept, amount: String(left), payTo: ELSEWHERE }] as const };
    await broadcast(app.engines.chain, accept.asset, (await sign(buyer, away)).payload);
    expect(await books.balanceOf(addressOf(buyer))).toBe(0n);

    let gotAway = 0n;
    await eventually(async () => {
      const offer = await ask(weather());
      const payment = await sign(buyer, offer);
      const reply = await present(weather(), payment);
      if (reply.status === 200) gotAway += PRICE;
      else expect(offerOf(reply).error).toBe('insufficient_funds');
      return (await books.stateOf(idOf(offer, payment))).status === 'unknown';
    }, NOTICE_MS);

    expect(gotAway).toBeLessThanOrEqual(left);
    const admissions = await books.admissionsOf(addressOf(buyer));
    for (const call of [weather, slow, weather]) {
      expect(offerOf(await buy(buyer, call())).error).toBe('insufficient_funds');
    }
    expect(await books.admissionsOf(addressOf(buyer))).toBe(admissions);
  });
});

describe('a wallet on the blacklist of the token', () => {
  it('never reaches the upstream, known or not, and buys again when it is off', async () => {
    const [known, stranger] = [await knownBuyer(10n * PRICE), await newBuyer(app, 10n * PRICE)];
    const bought = await ask(weather()).then((offer) => sign(known, offer));
    const answer = await present(weather(), bought);
    for (const buyer of [known, stranger]) await blockUsdc(app.engines.chain, 'blacklist', addressOf(buyer));
    for (const call of [weather, slow]) await mustBeRefused(stranger, call);
    // What was read of it before may be believed for as long as a balance. Meanwhile it is delivered to, up to its balance, and then
    // served after settlement, which the token refuses in the same words.
    await eventually(() => mustBeRefused(known, weather).then(() => true), NOTICE_MS);
    expect(await present(weather(), bought)).toMatchObject({ status: 200, body: answer.body });

    for (const buyer of [known, stranger]) await blockUsdc(app.engines.chain, 'unBlacklist', addressOf(buyer));
    for (const buyer of [known, stranger]) {
      await eventually(async () => (await buy(buyer, weather())).status === 200, NOTICE_MS);
    }
  });

  async function mustBeRefused(buyer: LocalAccount, call: () => Call): Promise<void> {
    const offer = await ask(call());
    const payment = await sign(buyer, offer);
    expect(offerOf(await present(call(), payment)).error).toBe('rejected_by_token');
    await mustNotHappen(offer, payment);
  }
});

describe('a signature that the token would refuse', () => {
  const bytes = (signature: Hex) => ({
    r: signature.slice(2, 66),
    s: BigInt(`0x${signature.slice(66, 130)}`),
    v: Number.parseInt(signature.slice(130), 16),
  });
  const join = (r: string, s: bigint, v: number): Hex =>
    `0x${r}${s.toString(16).padStart(64, '0')}${v.toString(16).padStart(2, '0')}`;
  const wrong: [string, (signature: Hex) => Hex][] = [
    ['high s', (signature) => (({ r, s, v }) => join(r, ORDER - s, v === 27 ? 28 : 27))(bytes(signature))],
    ['v 0 or 1', (signature) => (({ r, s, v }) => join(r, s, v - 27))(bytes(signature))],
    ['the other v', (signature) => (({ r, s, v }) => join(r, s, v === 27 ? 28 : 27))(bytes(signature))],
    ['the compact form', (signature) => `0x${signature.slice(2, 130)}`],
    ['a byte more', (signature) => `${signature}00`],
    ['zeros', () => `0x${'00'.repeat(65)}`],
    ['an ERC-6492 wrapper', (signature) => `${signature}${'6492'.repeat(16)}`],
  ];

  it.each(wrong)('with %s buys nothing, known or not', async (_what, spoil) => {
    for (const buyer of [await newBuyer(app, 10n * PRICE), await knownBuyer(10n * PRICE)]) {
      const offer = await ask(weather());
      const payment = await sign(buyer, offer);
      const { authorization, signature } = payment.payload;
      const spoilt = { ...payment, payload: { authorization, signature: spoil(signature) } };
      expect(offerOf(await present(weather(), spoilt)).error).toBe('invalid_exact_evm_payload_signature');
      await mustNotHappen(offer, payment);
      expect(await present(weather(), payment)).toMatchObject({ status: 200 });
    }
  });

  it('by somebody else buys nothing', async () => {
    const [buyer, thief] = [await newBuyer(app, 10n * PRICE), await newBuyer(app, 10n * PRICE)];
    const offer = await ask(weather());
    const payment = await sign(thief, offer, { from: addressOf(buyer) });
    expect(offerOf(await present(weather(), payment)).error).toBe('invalid_exact_evm_payload_signature');
    await mustNotHappen(offer, payment);
  });
});

describe('an authorization that a stranger broadcasts', () => {
  it('after the delivery counts as paid, once', async () => {
    const buyer = await knownBuyer(10n * PRICE);
    await worker.kill('SIGTERM');
    const offer = await ask(weather());
    const payment = await sign(buyer, offer);
    const id = idOf(offer, payment);
    const answer = await present(weather(), payment);
    expect(answer.status).toBe(200);
    const transaction = await broadcast(app.engines.chain, offer.accepts[0].asset, payment.payload);
    await worker.stop();
    worker = await startSibling(app, 'worker');

    await eventually(() => books.is(id, 'settled'), SETTLE_MS);
    expect(await books.stateOf(id)).toMatchObject({ settled: { by: 'other', transaction } });
    expect(await books.transfersFrom(addressOf(buyer))).toHaveLength(2);
    const events = await books.eventsOf(id);
    expect(events.filter(({ type }) => type === 'PaymentSettled')).toHaveLength(1);
    expect(await present(weather(), payment)).toMatchObject({ status: 200, body: answer.body });
  });

  it('before a stranger to us presents it buys nothing new, since its use is over', async () => {
    const buyer = await newBuyer(app, 10n * PRICE);
    const offer = await ask(weather());
    const payment = await sign(buyer, offer);
    await broadcast(app.engines.chain, offer.accepts[0].asset, payment.payload);
    expect(offerOf(await present(weather(), payment)).error).toBe('invalid_exact_evm_nonce_already_used');
    await mustNotHappen(offer, payment);
  });

  it('before a known payer presents it pays for exactly one answer', async () => {
    const buyer = await knownBuyer(10n * PRICE);
    const offer = await ask(weather());
    const payment = await sign(buyer, offer);
    const transaction = await broadcast(app.engines.chain, offer.accepts[0].asset, payment.payload);
    const replies = [await present(weather(), payment), await present(weather(), payment)];
    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    expect(replies[1]!.body).toBe(replies[0]!.body);
    await eventually(() => books.is(idOf(offer, payment), 'settled'), SETTLE_MS);
    expect(await books.stateOf(idOf(offer, payment))).toMatchObject({ settled: { by: 'other', transaction } });
    expect(await books.transfersFrom(addressOf(buyer))).toHaveLength(2);
    expect(await books.runsOf(idOf(offer, payment))).toBe(1);
  });
});
