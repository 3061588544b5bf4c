import fc from 'fast-check';
import { type Catalogue, compileCatalogue, type TariffVersion } from './catalogue.js';
import { type Route, routeSchema, type Tenant, tenantSchema } from './catalogue.schemas.js';
import { parseTariff } from './check-tariff.js';

const tenant = (id: string, host: string): Tenant =>
  tenantSchema.parse({
    id,
    host,
    upstream: 'http://127.0.0.1:9000',
    upstreamSecret: 's'.repeat(32),
    allowPrivateUpstream: true,
    payee: `0x${'B2'.repeat(20)}`,
    network: 'eip155:84532',
    asset: `0x${'a1'.repeat(20)}`,
  });

const route = (id: string, pattern: string, change: object = {}): Route =>
  routeSchema.parse({
    id,
    tenant: 'one',
    methods: ['GET'],
    pattern,
    upstreamPath: pattern,
    description: 'A thing',
    mimeType: 'text/plain',
    mode: 'async',
    idempotent: false,
    chargeClientErrors: false,
    maxTimeoutSeconds: 60,
    timeoutMs: 1000,
    tariff: 'flat',
    maxBodyBytes: 100,
    ...change,
  });

const version = (number: number, effectiveFrom: number, id = 'flat', owner = 'one'): TariffVersion => ({
  tenant: owner,
  id,
  version: number,
  effectiveFrom,
  tariff: parseTariff({ charges: [{ model: 'flat', amount: `${number}` }] }),
});

function catalogueOf(routes: readonly Route[], tariffs = [version(1, 0)]): Catalogue {
  return compileCatalogue({ tenants: [tenant('one', '*')], routes, tariffs });
}

const found = (catalogue: Catalogue, path: string, method = 'GET', host = 'x') => {
  const match = catalogue.match(host, method, path);
  return typeof match === 'object' ? match : undefined;
};

describe('match', () => {
  const catalogue = catalogueOf([
    route('cheap', '/demo/cheap'),
    route('dear', '/demo/dear', { methods: ['GET', 'POST'] }),
    route('item', '/items/:id', { upstreamPath: '/v1/things/:id/get' }),
    route('special', '/items/special'),
    route('root', '/', { methods: ['POST'], upstreamPath: '/index' }),
  ]);

  it('finds routes, literal before parameter, and rebuilds the upstream path', () => {
    expect(found(catalogue, '/demo/cheap')).toMatchObject({ route: { id: 'cheap' }, upstreamPath: '/demo/cheap' });
    expect(found(catalogue, '/items/special')?.route.id).toBe('special');
    expect(found(catalogue, '/items/a%20b')).toMatchObject({
      route: { id: 'item' },
      params: { id: 'a b' },
      upstreamPath: '/v1/things/a%20b/get',
    });
    expect(found(catalogue, '/', 'POST')?.upstreamPath).toBe('/index');
  });

  it('serves HEAD wherever it serves GET, as the same route', () => {
    expect(found(catalogue, '/demo/dear', 'HEAD')?.route).toBe(found(catalogue, '/demo/dear')?.route);
    expect(catalogue.match('x', 'HEAD', '/')).toBe('method_not_allowed');
  });

  it('tells a wrong method from a wrong path', () => {
    expect(catalogue.match('x', 'DELETE', '/demo/dear')).toBe('method_not_allowed');
    expect(catalogue.allowedMethods('x', '/demo/dear')).toEqual(['GET', 'HEAD', 'POST']);
    expect(catalogue.match('x', 'constructor', '/demo/dear')).toBe('method_not_allowed');
    expect(catalogue.match('x', 'GET', '/demo')).toBeUndefined();
  });

  const spellings = [
    '/Demo/dear',
    '/demo/DEAR',
    '/demo/dear/',
    '//demo/dear',
    '/demo//dear',
    '/demo/dear//',
    '/./demo/dear',
    '/demo/./dear',
    '/demo/x/../dear',
    '/demo/cheap/../dear',
    '/demo/cheap/%2e%2e/dear',
    '/demo/%2E%2E/demo/dear',
    '/demo/cheap/..%2fdear',
    '/demo%2fdear',
    '/demo%2Fdear',
    '/demo%5cdear',
    '/demo\\dear',
    '\\demo\\dear',
    '/%64emo/dear',
    '/demo/%64ear',
    '/demo/de%61r',
    '/demo/d%65%61r',
    '/demo/%2564ear',
    '/demo/dear%00',
    '/demo/dear%20',
    '/demo/dear ',
    '/demo/dear\t',
    '/demo/dear%09',
    '/demo/dear;a=b',
    '/demo;/dear',
    '/demo/dear%3b',
    '/demo/dear?',
    '/demo/dear?x=1',
    '/demo/dear%3Fx',
    '/demo/dear#',
    '/demo/dear%23',
    'http://x/demo/dear',
    'http://evil/demo/dear',
    '//evil/demo/dear',
    'demo/dear',
    '*',
    '',
    '/demo/dear%',
    '/demo/dear%2',
    '/demo/dear%zz',
    '/demo/d\u0435ar',
    '/demo/de%D0%B0r',
    '/demo/dear.',
    '/demo/dear%2e',
    '/demo/%c0%afdear',
    '/demo/dear\u0000',
    '/demo/ｄear',
    '/demo/dear@',
  ];

  it.each(spellings)('serves %j as the same route or not at all', (path) => {
    const match = found(catalogue, path);
    if (match !== undefined) expect([match.route.id, match.upstreamPath]).toEqual(['dear', '/demo/dear']);
  });

  it.each(['http://x/demo/dear', '//x/demo/dear', '/demo/dear?x=1', '/demo/dear#x', '/demo/dear/'])(
    'leaves %s to nobody: it is not the path of this route',
    (path) => {
      expect(catalogue.match('x', 'GET', path)).toBeUndefined();
    },
  );

  it('lets no spelling of one priced path reach the upstream by another price', () => {
    const letter = fc.constantFrom(
      ...'dearchp',
      '/',
      '.',
      '%64',
      '%65',
      '%2e',
      '%2f',
      '%25',
      '//',
      '..',
      '%2564',
      ':',
      'D',
    );
    const path = fc.array(letter, { maxLength: 9 }).map((parts) => `/demo/${parts.join('')}`);
    fc.assert(
      fc.property(fc.oneof(path, fc.constantFrom(...spellings)), (spelling) => {
        const match = found(catalogue, spelling);
        if (match === undefined) return;
        // What an upstream with the most generous reading would take it for.
        const meant = new URL(decodeURIComponent(spelling), 'http://x').pathname;
        expect(meant).toBe(match.route.pattern);
        expect(match.upstreamPath).toBe(match.route.upstreamPath);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    '',
    '.',
    '..',
    '%2e',
    '%2e%2e',
    '.%2E',
    'a%2Fb',
    'a%5Cb',
    '%00',
    '%0d%0a',
    'a%3Fb',
    'a%23b',
    '%2561',
    '%25',
    '%7f',
    'x'.repeat(300),
  ])('takes no parameter that could mean another path: %s', (value) => {
    expect(catalogue.match('x', 'GET', `/items/${value}`)).toBeUndefined();
  });

  it('hands parameters on unchanged', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }), (text) => {
        fc.pre(encodeURIComponent(text).length < 250);
        const match = found(catalogue, `/items/${encodeURIComponent(text)}`);
        if (match === undefined || match.route.id !== 'item') return;
        expect(match.params.id).toBe(text);
        expect(match.upstreamPath).toBe(`/v1/things/${encodeURIComponent(text)}/get`);
      }),
    );
    expect(found(catalogue, '/items/caf%C3%A9')?.params).toEqual({ id: 'café' });
  });
});

describe('hosts', () => {
  const catalogue = compileCatalogue({
    tenants: [tenant('one', '*'), tenant('two', 'api.example.com')],
    routes: [route('a', '/a'), route('b', '/b', { tenant: 'two' })],
    tariffs: [version(1, 0), version(1, 0, 'flat', 'two')],
  });

  it.each(['api.example.com', 'API.Example.COM', 'api.example.com:4020', 'api.example.com.', 'api.example.com.:80'])(
    'knows the tenant of %s',
    (host) => {
      expect(catalogue.tenantFor(host)?.id).toBe('two');
      expect(found(catalogue, '/b', 'GET', host)?.tenant.id).toBe('two');
      expect(catalogue.match(host, 'GET', '/a')).toBeUndefined();
    },
  );

  it.each(['', 'localhost:4020', '127.0.0.1', '[::1]:4020', 'evil-api.example.com', 'xapi.example.com'])(
    'gives %j to the tenant of *',
    (host) => {
      expect(catalogue.tenantFor(host)?.id).toBe('one');
    },
  );
});

describe('what is left out', () => {
  it('is every route without a price or a place of its own', () => {
    const routes = [
      route('good', '/a/:x'),
      route('same', '/a/:y'),
      route('unpriced', '/b', { tariff: 'none' }),
      route('stranger', '/c', { tenant: 'nobody' }),
    ];
    const catalogue = catalogueOf(routes);
    expect(catalogue.leftOut.map((left) => left.route)).toEqual(['same', 'unpriced', 'stranger']);
    expect(found(catalogue, '/a/1')?.route.id).toBe('good');
    expect(found(catalogue, '/b')).toBeUndefined();
  });

  it('is the tenant whose host is taken', () => {
    const tenants = [tenant('one', '*'), tenant('two', '*')];
    const tariffs = [version(1, 0), version(1, 0, 'flat', 'two')];
    const catalogue = compileCatalogue({
      tenants,
      routes: [route('a', '/a'), route('b', '/b', { tenant: 'two' })],
      tariffs,
    });
    expect(catalogue.tenantFor('x')?.id).toBe('one');
    expect(catalogue.leftOut.map((left) => left.route)).toEqual(['b']);
  });
});

describe('tariff versions', () => {
  const owner = { tenant: 'one', tariff: 'flat' };
  const catalogue = catalogueOf([], [version(3, 300), version(1, 100), version(2, 300), version(1, 0, 'flat', 'two')]);
  const numbers = (from: number, to: number) =>
    catalogue.tariffsInForceWithin(owner, from, to).map((one) => one.version);

  it('are in force from their start until the next', () => {
    expect([99, 100, 299, 300].map((time) => catalogue.tariffAt(owner, time)?.version)).toEqual([undefined, 1, 1, 3]);
    expect(catalogue.tariffVersion(owner, 2)?.effectiveFrom).toBe(300);
    expect(catalogue.tariffVersion(owner, 4)).toBeUndefined();
  });

  it('are all found that were in force within a span', () => {
    expect(numbers(0, 99)).toEqual([]);
    expect(numbers(0, 100)).toEqual([1]);
    expect(numbers(299, 300)).toEqual([1, 3]);
    expect(numbers(300, 900)).toEqual([3]);
  });

  it('of another tariff are known of the route that named it', () => {
    const former = { tenant: 'one', route: 'a', tariff: 'old', until: 5 };
    const formerTariffs = [former, { ...former, route: 'b' }, { ...former, tenant: 'two' }];
    const { formerTariffs: of } = compileCatalogue({ tenants: [], routes: [], tariffs: [], formerTariffs });
    expect(of({ tenant: 'one', id: 'a' })).toEqual([former]);
  });
});
