import { described } from '../../../test/support/priced.js';
import type { Decision } from '../../base/event-store/unit-of-work.js';
import {
  decidePublishRoute,
  decidePublishTariff,
  decideRegisterTenant,
  decideRotateSecret,
  decideWithdrawRoute,
  type RegisterTenant,
  secretFingerprint,
} from './catalogue.decide.js';
import { catalogueFromRows } from './catalogue.rows.js';
import { demoTenant } from './demo-tenant.js';
import {
  evolvePublished,
  type PublicationEvent,
  type Published,
  type RouteEvent,
  type TenantRegistered,
  unpublished,
} from './publication.js';
import { price } from './tariff.js';
import type { TariffRules } from './tariff.schemas.js';

const NOW = Date.parse('2026-11-23T10:00:00.000Z');
const DAY = 86_400_000;
const demo = demoTenant({
  upstream: 'http://127.0.0.1:9000',
  upstreamSecret: 'an-upstream-secret-of-32-characters',
  payee: `0x${'b2'.repeat(20)}`,
  network: 'eip155:84532',
  asset: `0x${'a1'.repeat(20)}`,
});

const given = <E extends PublicationEvent>(...events: E[]): Published<E> =>
  events.reduce<Published<E>>(evolvePublished, unpublished);
const stateAfter = <E extends PublicationEvent>(decision: Decision) => given(...(decision.events as readonly E[]));

describe('RegisterTenant', () => {
  const { tenant } = demo;
  const register = (state: Published<TenantRegistered>, command: RegisterTenant, standing?: string) =>
    decideRegisterTenant(state, command, NOW, standing);

  it('registers, with the secret beside the log and not in it', () => {
    const { events, attachments } = register(unpublished, { tenant });
    const { upstreamSecret, ...open } = tenant;
    const data = { ...open, upstreamSecretFingerprint: expect.stringMatching(/^[\w-]{16}$/) };
    expect(events).toEqual([{ type: 'TenantRegistered', schema: 1, data }]);
    expect(JSON.stringify(events)).not.toContain(upstreamSecret);
    expect(attachments).toMatchObject([
      { table: 'tenants', row: { id: 'demo', upstream_secret: upstreamSecret, host: '*' } },
    ]);
  });

  it('changes nothing when repeated, and something for every change', () => {
    const state = stateAfter<never>(register(unpublished, { tenant }));
    expect(register(state, { tenant }).events).toEqual([]);
    const changes = [{ host: 'a.example.com' }, { upstreamSecret: 'x'.repeat(32) }, { allowPrivateUpstream: false }];
    for (const change of changes) {
      expect(register(state, { tenant: { ...tenant, ...change } }).events).toHaveLength(1);
    }
  });

  it('keeps the secret that stands if none is named, else takes the fresh one', () => {
    const { upstreamSecret, ...open } = tenant;
    const secretOf = ({ attachments }: Decision) => attachments?.[0]?.row.upstream_secret;
    const fresh = 'a fresh secret of thirty-two letters';
    expect(secretOf(register(unpublished, { tenant: open, freshSecret: fresh }))).toBe(fresh);
    const state = stateAfter<TenantRegistered>(register(unpublished, { tenant }));
    expect(register(state, { tenant: open, freshSecret: fresh }, upstreamSecret).events).toEqual([]);
    const moved = { ...open, host: 'b.example.com' };
    expect(secretOf(register(state, { tenant: moved, freshSecret: fresh }, upstreamSecret))).toBe(upstreamSecret);
    expect(() => register(unpublished, { tenant: open })).toThrow('upstreamSecret');
  });

  it('is followed by other secrets, each with its fingerprint', () => {
    const state = stateAfter<TenantRegistered>(register(unpublished, { tenant }));
    const secret = 'another secret of thirty-two letters';
    const { attachments, events } = decideRotateSecret(state, { tenant: 'demo', secret });
    expect(events).toMatchObject([
      { data: { host: '*', payee: tenant.payee, upstreamSecretFingerprint: secretFingerprint(secret) } },
    ]);
    expect(attachments).toMatchObject([{ row: { upstream_secret: secret, revision: 2, host: '*' } }]);
    expect(decideRotateSecret(stateAfter<TenantRegistered>({ events }), { tenant: 'demo', secret }).events).toEqual([]);
    expect(() => decideRotateSecret(unpublished, { tenant: 'demo', secret })).toThrow('No such tenant');
  });
});

describe('PublishRoute', () => {
  const route = demo.routes[0]!;

  it('publishes revisions, each once', () => {
    const first = decidePublishRoute(unpublished, { route });
    expect(first.events).toEqual([{ type: 'RoutePublished', schema: 3, data: { revision: 1, route } }]);
    const state = stateAfter<never>(first);
    expect(decidePublishRoute(state, { route }).events).toEqual([]);
    const changed = { ...route, description: 'Better weather' };
    const second = decidePublishRoute(state, { route: changed });
    expect(second.events).toMatchObject([{ data: { revision: 2 } }]);
    expect(second.attachments).toMatchObject([
      { table: 'routes', row: { tenant: 'demo', id: 'weather', revision: 2 } },
    ]);
  });
});

describe('WithdrawRoute', () => {
  const route = demo.routes[0]!;
  const command = { tenant: 'demo', id: route.id };
  const published = stateAfter<RouteEvent>(decidePublishRoute(unpublished, { route }));

  it('takes the row away, once', () => {
    const decision = decideWithdrawRoute(published, command);
    expect(decision).toEqual({
      events: [{ type: 'RouteWithdrawn', schema: 1, data: { revision: 2, tenant: 'demo', id: 'weather' } }],
      removals: [{ table: 'routes', key: command }],
    });
    expect(
      decideWithdrawRoute(given<RouteEvent>(published.last!, decision.events[0] as RouteEvent), command).events,
    ).toEqual([]);
    expect(decideWithdrawRoute(unpublished, command).events).toEqual([]);
  });

  it('may be followed by the same route, as a new revision', () => {
    const withdrawn = decideWithdrawRoute(published, command).events[0] as RouteEvent;
    const again = decidePublishRoute(given<RouteEvent>(published.last!, withdrawn), { route });
    expect(again.events).toMatchObject([{ type: 'RoutePublished', data: { revision: 3, route } }]);
  });
});

describe('PublishTariff', () => {
  const rules: TariffRules = { charges: [{ model: 'flat', amount: '10' }] };
  const dearer: TariffRules = { charges: [{ model: 'flat', amount: '20' }] };
  const command = { tenant: 'demo', id: 'x', rules, effectiveFrom: NOW };
  const published = stateAfter<never>(decidePublishTariff(unpublished, command, NOW));

  it('publishes immutable versions', () => {
    const { events, attachments } = decidePublishTariff(
      published,
      { ...command, rules: dearer, effectiveFrom: NOW + DAY },
      NOW,
    );
    const data = { tenant: 'demo', id: 'x', version: 2, effectiveFrom: '2026-11-24T10:00:00.000Z', rules: dearer };
    expect(events).toEqual([{ type: 'TariffPublished', schema: 4, data }]);
    const row = { tenant: 'demo', id: 'x', version: 2, effective_from: new Date(NOW + DAY), rules: dearer };
    expect(attachments).toEqual([{ table: 'tariffs', row }]);
  });

  it('publishes nothing that is in force already', () => {
    expect(decidePublishTariff(published, command, NOW).events).toEqual([]);
    expect(decidePublishTariff(published, { ...command, effectiveFrom: NOW + DAY }, NOW + DAY).events).toEqual([]);
  });

  it('never changes the past', () => {
    expect(() => decidePublishTariff(published, { ...command, rules: dearer, effectiveFrom: NOW - 1 }, NOW)).toThrow(
      'effectiveFrom',
    );
  });

  it('refuses rules that do not hold', () => {
    const broken = { charges: [{ model: 'flat' as const, amount: '0.1' }] };
    expect(() => decidePublishTariff(unpublished, { ...command, rules: broken }, NOW)).toThrow(
      'tariff/charges/0/amount',
    );
  });
});

describe('the demo tenant', () => {
  const decisions = [
    decideRegisterTenant(unpublished, { tenant: demo.tenant }, NOW, undefined),
    ...demo.routes.map((route) => decidePublishRoute(unpublished, { route })),
    ...demo.tariffs.map((tariff) => decidePublishTariff(unpublished, { ...tariff, effectiveFrom: NOW }, NOW)),
  ];
  const rows = <T>(table: string) =>
    decisions
      .flatMap((one) => one.attachments ?? [])
      .flatMap((one) => (one.table === table ? [JSON.parse(JSON.stringify(one.row))] : [])) as T[];
  const catalogue = catalogueFromRows({
    tenants: [demo.tenant],
    routes: rows('routes'),
    tariffs: rows<{ effective_from: string; tenant: string; id: string; version: number; rules: unknown }>(
      'tariffs',
    ).map((row) => ({
      ...row,
      effectiveFrom: new Date(row.effective_from),
    })),
  });
  const priceOf = (method: string, path: string, body = '', priority?: string) => {
    const match = catalogue.match('localhost:4020', method, path);
    if (typeof match !== 'object') throw new Error(`no route ${path}`);
    return price(catalogue.tariffAt(match.route, NOW)!.tariff, described({ body, priority })).amount;
  };

  it.each([
    ['GET', '/demo/weather', '', 1000n],
    ['HEAD', '/demo/weather', '', 1000n],
    ['GET', '/demo/files/report.txt', '', 1600n],
    ['POST', '/demo/query', '{"query":"select 1"}', 700n],
    ['POST', '/demo/completions', '{"prompt":"hello"}', 200n + 66n * 20n],
    ['GET', '/demo/slow', '', 2000n],
  ])('asks for %s %s %s', (method, path, body, amount) => {
    expect(priceOf(method, path, body)).toBe(amount);
  });

  it('follows priority and never passes ten cents', () => {
    expect(priceOf('POST', '/demo/query', '{"query":"select 1"}', 'u=0')).toBe(1400n);
    expect(priceOf('POST', '/demo/query', '{"query":"select 1"}', 'u=7')).toBe(350n);
    expect(priceOf('POST', '/demo/query', 'x'.repeat(8192), 'u=0')).toBe(100_000n);
    expect(priceOf('POST', '/demo/completions', '{"prompt":"a","max_tokens":9999999}')).toBe(82_140n);
    expect(catalogue.leftOut).toEqual([]);
  });
});
