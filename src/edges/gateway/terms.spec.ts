import type { IncomingMessage } from 'node:http';
import type { Token } from '../../base/chain/chain.js';
import type { Address } from '../../base/shared/hex.js';
import type { DecodedPayment } from '../../base/x402/payment-header.js';
import { type Catalogue, compileCatalogue, type TariffVersion } from '../../domains/pricing/catalogue.js';
import { parseTariff } from '../../domains/pricing/check-tariff.js';
import { demoTenant } from '../../domains/pricing/demo-tenant.js';
import type { Match } from '../../domains/pricing/host-router.js';
import { QuoteLock } from '../../domains/pricing/quote-lock.js';
import type { TariffRules } from '../../domains/pricing/tariff.schemas.js';
import { OfferSigner } from '../../domains/receipts/offers.js';
import { ReceiptSigner } from '../../domains/receipts/receipt-signer.js';
import { OfferDesk } from './offer-desk.js';
import { type PaidCall, paidCall } from './paid-call.js';
import { checkTerms } from './terms.js';

const PAYER = `0x${'11'.repeat(20)}` as const;
const demo = demoTenant({
  upstream: 'http://127.0.0.1:9000',
  upstreamSecret: 'an upstream secret of 32 letters or more',
  payee: `0x${'b2'.repeat(20)}`,
  network: 'eip155:84532',
  asset: `0x${'a1'.repeat(20)}`,
});
const { tenant } = demo;
const weather = demo.routes.find(({ id }) => id === 'weather')!;
const token: Token = {
  network: tenant.network,
  address: tenant.asset,
  name: 'USDC',
  version: '2',
  decimals: 6,
} as Token;
const quotes = new QuoteLock([{ id: 'q1', secret: Buffer.alloc(32, 7) }]);
const signer = new OfferSigner(new ReceiptSigner('http://gateway.example', [`0x${'01'.repeat(32)}`]));
const NOON = Date.parse('2026-11-25T12:00:00.400Z');
const MINUTE = 60_000;

let load = 0;
let used = 0n;
const circumstances = { load: () => load, ownTariff: () => undefined, usedBy: () => used };
const desk = new OfferDesk(quotes, signer, circumstances, { hasAccounts: () => false });

function catalogueOf(...versions: readonly (readonly [rules: TariffRules, effectiveFrom: number])[]): Catalogue {
  const tariffs = versions.map(
    ([rules, effectiveFrom], index): TariffVersion => ({
      ...{ tenant: 'demo', id: 'weather', version: index + 1, effectiveFrom },
      tariff: parseTariff(rules),
    }),
  );
  return compileCatalogue({ tenants: [tenant], routes: [weather], tariffs });
}

interface Sent {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly query?: string;
}

function callOf({ headers = {}, query = '' }: Sent = {}): PaidCall {
  const distinct = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()]));
  const message = { method: 'GET', headers, headersDistinct: distinct, rawHeaders: [] } as unknown as IncomingMessage;
  const match: Match = { tenant, route: weather, params: {}, upstreamPath: '/weather' };
  const target = { path: '/demo/weather', query };
  return paidCall(match, token, message, target, Buffer.alloc(0), () => 'http://gateway.example');
}

interface Offered {
  readonly amount: string;
  readonly extra: Readonly<Record<string, string>>;
}

function offers(catalogue: Catalogue, sent: Sent, payer?: Address) {
  const caller = payer && { payer, proven: false };
  const { body, headers } = desk.offer(callOf(sent), caller, catalogue, NOON);
  const offer = JSON.parse(Buffer.from(headers['PAYMENT-REQUIRED']!, 'base64').toString());
  const { accepts } = offer as { accepts: readonly Offered[] };
  const v1 = BigInt(JSON.parse(body).accepts[0].maxAmountRequired);
  return { accepts, v1, header: headers['PAYMENT-REQUIRED']! };
}

function payment(amount: bigint, now: number, accepted?: Offered): DecodedPayment {
  const authorization = {
    from: PAYER,
    to: tenant.payee,
    value: amount,
    validAfter: 0n,
    validBefore: BigInt(Math.floor(now / 1000) + 300),
    nonce: `0x${'22'.repeat(32)}` as const,
  };
  const signed = { authorization, signature: '0x00' as const, payloadDigest: 'digest' };
  if (!accepted) return { x402Version: 1, network: tenant.network, ...signed };
  const { asset, network, payee: payTo } = tenant;
  const { maxTimeoutSeconds } = weather;
  const terms = { scheme: 'exact' as const, network, amount, asset, payTo, maxTimeoutSeconds, extra: accepted.extra };
  return { x402Version: 2, accepted: terms, paymentIdentifier: undefined, ...signed };
}

/** Pays what was offered, later, with another request perhaps. */
function redeem(catalogue: Catalogue, accepted: Offered, sent: Sent, now = NOON) {
  const paid = payment(BigInt(accepted.amount), now, accepted);
  return checkTerms(callOf(sent), paid, catalogue, quotes, now);
}

const flat = (amount: string, rest: Partial<TariffRules> = {}): TariffRules => ({
  charges: [{ model: 'flat', amount }],
  ...rest,
});
const refused = (reason: string) => ({ ok: false, reason });

describe('a quote is locked to everything that its price looked at', () => {
  const rows = { source: 'field', field: { in: 'header', name: 'x-rows' }, default: 1, maximum: 1000 } as const;
  const byHeader = catalogueOf([
    { charges: [{ model: 'per_unit', quantity: rows, amount: '10', per: 1 }], minimum: '1' },
    0,
  ]);

  it('a header, under every spelling', () => {
    const [few] = offers(byHeader, { headers: { 'x-rows': '2' } }).accepts;
    expect(few!.amount).toBe('20');
    expect(redeem(byHeader, few!, { headers: { 'x-rows': '2' } })).toMatchObject({ ok: true, units: 2n });
    const others: Sent['headers'][] = [{ 'x-rows': '900' }, {}, { 'x-rows': ['2', '900'] }];
    for (const headers of [...others, { 'x-rows': '2', x_rows: '900' }]) {
      expect(redeem(byHeader, few!, { headers })).toEqual(refused('quote_invalid'));
    }
  });

  it('the load, which only the quote remembers', () => {
    const surge = catalogueOf([flat('1000', { modifiers: [{ kind: 'load', from: 0, to: 1000, permille: 3000 }] }), 0]);
    load = 500;
    const { accepts, v1 } = offers(surge, {});
    expect([accepts[0]!.amount, accepts[0]!.extra.load, v1]).toEqual(['2000', '500', 1000n]);
    load = 0;
    const agreed = redeem(surge, accepts[0]!, {}, NOON + MINUTE);
    expect(agreed).toMatchObject({ ok: true, inputs: { load: '500', at: String(Math.floor(NOON / 1000) * 1000) } });
    for (const extra of [
      { ...accepts[0]!.extra, load: '0' },
      { ...accepts[0]!.extra, load: 'x' },
    ]) {
      expect(redeem(surge, { ...accepts[0]!, extra }, {})).toEqual(refused('quote_invalid'));
    }
  });

  it('what the named payer used, and to that payer', () => {
    const tiers = [{ upTo: 100, permille: 1000 }, { permille: 800 }];
    const volume = catalogueOf([flat('1000', { period: 'month', modifiers: [{ kind: 'volume', tiers }] }), 0]);
    used = 150n;
    const named = offers(volume, {}, PAYER);
    const other = offers(volume, {}, `0x${'99'.repeat(20)}`).accepts[0]!;
    used = 0n;
    expect([named.accepts[0]!.amount, named.accepts[0]!.extra.used, named.v1]).toEqual(['800', '150', 1000n]);
    expect(redeem(volume, named.accepts[0]!, {})).toMatchObject({ ok: true, inputs: { used: '150' } });
    expect(redeem(volume, other, {})).toEqual(refused('quote_for_another_payer'));
    const anonymous = offers(volume, {}).accepts[0]!;
    expect(anonymous.amount).toBe('1000');
    expect(redeem(volume, { ...anonymous, extra: { ...anonymous.extra, used: '150' } }, {})).toEqual(
      refused('quote_invalid'),
    );
  });

  it('the moment: a price of the evening stands in the night', () => {
    const windows = [{ from: '12:00', to: '12:01', permille: 500 }];
    const noon = catalogueOf([flat('1000', { modifiers: [{ kind: 'time_of_day', timeZone: 'UTC', windows }] }), 0]);
    const [cheap] = offers(noon, {}).accepts;
    expect(cheap!.amount).toBe('500');
    expect(redeem(noon, cheap!, {}, NOON + 4 * MINUTE)).toMatchObject({ ok: true });
    expect(redeem(noon, { ...cheap!, amount: '499' }, {})).toEqual(refused('quote_invalid'));
  });
});

describe('classes of service', () => {
  const by = { in: 'header', name: 'x-quality' } as const;
  const classes = [
    { id: 'standard', permille: 1000 },
    { id: 'fast', permille: 2500 },
    { id: 'slow', permille: 600 },
  ];
  const classy = catalogueOf([flat('1000', { modifiers: [{ kind: 'class', by, classes }] }), 0]);

  it('are each one way to pay, the first one first, within the budget of the header', () => {
    const { accepts, header, v1 } = offers(classy, {});
    const shown = accepts.map(({ amount, extra }) => [extra.class, amount]);
    expect(shown).toEqual([
      ['standard', '1000'],
      ['fast', '2500'],
      ['slow', '600'],
    ]);
    expect(v1).toBe(1000n);
    expect(header.length).toBeLessThan(7000);
    for (const accepted of accepts) {
      expect(redeem(classy, accepted, {})).toMatchObject({ ok: true, class: accepted.extra.class });
    }
  });

  it('cannot be swapped for the quote of another', () => {
    const [standard, fast] = offers(classy, {}).accepts;
    for (const extra of [
      { ...standard!.extra, class: 'fast' },
      { ...standard!.extra, class: 'none' },
    ]) {
      expect(redeem(classy, { ...standard!, extra }, {})).toEqual(refused('quote_invalid'));
    }
    const { class: _, ...unnamed } = fast!.extra;
    expect(redeem(classy, { ...fast!, extra: unnamed }, {})).toEqual(refused('quote_invalid'));
  });

  it('that the request names are the only offer, and a quote for no name is none for a name', () => {
    const fast = { headers: { 'x-quality': 'fast' } };
    expect(offers(classy, fast).accepts.map(({ extra }) => extra.class)).toEqual(['fast']);
    const [, , slow] = offers(classy, {}).accepts;
    expect(redeem(classy, slow!, fast)).toEqual(refused('quote_invalid'));
  });
});

describe('version 1 pays a list price of the last minutes', () => {
  const windows = [{ from: '12:00', to: '12:02', permille: 500 }];
  const noon = flat('1000', { modifiers: [{ kind: 'time_of_day', timeZone: 'UTC', windows }] });
  const pays = (catalogue: Catalogue, amount: bigint, now: number) =>
    checkTerms(callOf(), payment(amount, now), catalogue, quotes, now);

  it('of every moment in which an offer still stands', () => {
    const catalogue = catalogueOf([noon, 0]);
    const minutes = (count: number) => NOON + count * MINUTE;
    expect(pays(catalogue, 500n, minutes(1))).toMatchObject({ ok: true });
    expect(pays(catalogue, 500n, minutes(6))).toMatchObject({ ok: true });
    expect(pays(catalogue, 1000n, minutes(6))).toMatchObject({ ok: true });
    expect(pays(catalogue, 500n, minutes(7))).toEqual(refused('price_not_in_force'));
    expect(pays(catalogue, 1000n, minutes(6) - 4 * MINUTE)).toMatchObject({ ok: true });
  });

  it('of no version before or after it was in force', () => {
    const catalogue = catalogueOf([noon, 0], [flat('800'), NOON + MINUTE]);
    expect(pays(catalogue, 1000n, NOON + 6 * MINUTE)).toEqual(refused('price_not_in_force'));
    expect(pays(catalogue, 500n, NOON + 3 * MINUTE)).toMatchObject({ ok: true, tariff: { version: 1 } });
    expect(pays(catalogue, 800n, NOON + 3 * MINUTE)).toMatchObject({ ok: true, tariff: { version: 2 } });
  });
});
