import { type Route, routeSchema, type Tenant, tenantSchema } from './catalogue.schemas.js';

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

describe('route and tenant schemas', () => {
  const good = route('a', '/a/:id');

  it.each([
    ['a wildcard', { pattern: '/a/*', upstreamPath: '/a' }],
    ['a regular expression', { pattern: '/a/:id(\\d+)', upstreamPath: '/a' }],
    ['an optional parameter', { pattern: '/a/:id?', upstreamPath: '/a' }],
    ['an encoded literal', { pattern: '/%61', upstreamPath: '/a' }],
    ['a dot segment', { pattern: '/a/../b', upstreamPath: '/a' }],
    ['a trailing slash', { pattern: '/a/', upstreamPath: '/a' }],
    ['a parameter from nowhere', { upstreamPath: '/a/:other' }],
    ['a parameter twice', { pattern: '/a/:id/:id' }],
    ['an absolute upstream path', { upstreamPath: 'http://evil/a' }],
    ['a path of the gateway itself', { pattern: '/receipts/:id' }],
    ["a path at the gateway's own", { pattern: '/health', upstreamPath: '/a' }],
    ['less time than delivery and settlement take', { maxTimeoutSeconds: 6 }],
    ['a method twice', { methods: ['GET', 'GET'] }],
    ['HEAD by itself', { methods: ['HEAD'] }],
    ['a stream name in its id', { id: 'a/b' }],
    ['a misspelled member', { chargeClientError: true }],
  ])('refuse %s', (_, change) => {
    expect(routeSchema.safeParse({ ...good, ...change }).success).toBe(false);
  });

  it('take a path that only begins like one of the gateway, and exactly enough time', () => {
    const change = { pattern: '/healthy', upstreamPath: '/a', maxTimeoutSeconds: 7 };
    expect(routeSchema.safeParse({ ...good, ...change }).success).toBe(true);
  });

  it.each(['http://a/b', 'http://a/', 'ftp://a', 'http://user@a', 'a', 'http://a?x', 'HTTP://a'])(
    'refuse the upstream %s',
    (upstream) => {
      expect(tenantSchema.safeParse({ ...tenant('one', '*'), upstream }).success).toBe(false);
    },
  );

  it.each(['API.example.com', 'a.example.com:80', 'a..b', '-a', '*.example.com', ''])('refuse the host %j', (host) => {
    expect(tenantSchema.safeParse({ ...tenant('one', '*'), host }).success).toBe(false);
  });
});
