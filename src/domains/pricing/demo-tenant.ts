import type { Address, Network } from '../../base/shared/hex.js';
import { type Route, routeSchema, type Tenant, tenantSchema } from './catalogue.schemas.js';
import type { TariffRules } from './tariff.schemas.js';

const DEMO = 'demo';
/** Size of the demo upstream's report, which its tariff charges by. */
export const DEMO_REPORT_BYTES = 15_829;

/** Where the demo's upstream listens and where its money goes. */
export interface DemoPlace {
  readonly upstream: string;
  readonly upstreamSecret: string;
  readonly payee: Address;
  readonly network: Network;
  readonly asset: Address;
}

export interface DemoTenant {
  readonly tenant: Tenant;
  readonly routes: readonly Route[];
  readonly tariffs: readonly { readonly tenant: string; readonly id: string; readonly rules: TariffRules }[];
}

/** The tenant that a fresh installation serves, for USDC with 6 decimals: no price passes 0.10 dollars. */
export function demoTenant(place: DemoPlace): DemoTenant {
  return {
    tenant: tenantSchema.parse({ ...place, id: DEMO, host: '*', allowPrivateUpstream: true }),
    routes: demoRoutes,
    tariffs: Object.entries(demoTariffs).map(([id, rules]) => ({ tenant: DEMO, id, rules })),
  };
}

const CEILING = '100000';

const demoTariffs: Readonly<Record<string, TariffRules>> = {
  weather: { charges: [{ model: 'flat', amount: '1000' }] },
  files: {
    charges: [
      { model: 'per_unit', quantity: { source: 'declared', units: DEMO_REPORT_BYTES }, amount: '100', per: 1024 },
    ],
    maximum: CEILING,
  },
  query: {
    charges: [
      { model: 'flat', amount: '500' },
      { model: 'per_unit', quantity: { source: 'request_bytes' }, amount: '10', per: 1 },
    ],
    modifiers: [
      { kind: 'priority', permille: [2000, 1500, 1250, 1000, 900, 800, 700, 500] },
      {
        kind: 'volume',
        tiers: [{ upTo: 10_000, permille: 1000 }, { upTo: 100_000, permille: 900 }, { permille: 800 }],
      },
    ],
    period: 'month',
    maximum: CEILING,
  },
  completions: {
    charges: [
      { model: 'flat', amount: '200' },
      {
        model: 'per_unit',
        quantity: {
          source: 'text_tokens',
          pointer: '/prompt',
          charactersPerToken: 4,
          plus: { pointer: '/max_tokens', default: 64, maximum: 4096 },
        },
        amount: '20',
        per: 1,
      },
    ],
    maximum: CEILING,
  },
  slow: { charges: [{ model: 'flat', amount: '2000' }] },
};

const common = {
  tenant: DEMO,
  mimeType: 'application/json',
  mode: 'async',
  idempotent: false,
  chargeClientErrors: false,
  maxTimeoutSeconds: 300,
  timeoutMs: 30_000,
  maxBodyBytes: 8192,
} as const;

const demoRoutes: readonly Route[] = [
  demoRoute('weather', ['GET'], '/demo/weather', 'The weather, at a flat price'),
  {
    ...demoRoute('files', ['GET'], '/demo/files/report.txt', 'A report, priced by its size'),
    mimeType: 'text/plain',
  },
  demoRoute('query', ['POST'], '/demo/query', 'A query, priced by its length and priority'),
  {
    ...demoRoute('completions', ['POST'], '/demo/completions', 'A streamed completion, priced by tokens'),
    mimeType: 'text/event-stream',
  },
  {
    ...demoRoute('slow', ['GET'], '/demo/slow', 'A slow answer, delivered once the payment is settled'),
    mode: 'after',
  },
];

function demoRoute(id: string, methods: Route['methods'], pattern: string, description: string): Route {
  return routeSchema.parse({
    ...common,
    id,
    tariff: id,
    methods,
    pattern,
    upstreamPath: pattern.slice('/demo'.length),
    description,
  });
}
