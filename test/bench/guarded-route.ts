import { setTimeout as delay } from 'node:timers/promises';
import { admin } from '../support/admin.js';
import type { App } from '../support/app.js';
import { eventually } from '../support/eventually.js';

const TENANT = 'demo';
const QUOTA = 'bench-requests';
/** What was published is in force everywhere after a second. */
const IN_FORCE_MS = 2_000;

/** Far more than a run takes: what is measured is the counting. */
const limits = {
  [QUOTA]: { measure: 'requests', quantity: '1000000000', per: 'payer', window: { kind: 'calendar', unit: 'month' } },
  'bench-spending': {
    measure: 'amount',
    quantity: '1000000000000',
    per: 'payer',
    window: { kind: 'rolling', seconds: 86_400 },
  },
  'bench-exposure': { measure: 'exposure', quantity: '1000000000000', per: 'tenant' },
};

const rules = {
  charges: [{ model: 'flat', amount: '1000' }],
  modifiers: [{ kind: 'volume', tiers: [{ upTo: 1_000_000_000, permille: 1000 }, { permille: 900 }] }],
  period: 'month',
};

/**
 * A route of the demo's weather with everything that a provider can put between a payment and its request: a quota per
 * payer, a spending limit per payer in a rolling window, the tenant's exposure, and a price by volume.
 */
export class GuardedRoute {
  static readonly path = '/bench/weather';

  private constructor(private readonly app: App) {}

  static async publish(app: App): Promise<GuardedRoute> {
    const put = async (path: string, body: object) => {
      const { body: answer, status } = await admin(app, path, { method: 'PUT', body });
      if (status >= 300) throw new Error(`PUT ${path}: ${status} ${answer}`);
    };
    await put(`/tariffs/${TENANT}/bench`, { rules });
    await put(`/routes/${TENANT}/bench`, {
      methods: ['GET'],
      pattern: GuardedRoute.path,
      upstreamPath: '/weather',
      description: 'The weather, behind limits',
      mimeType: 'application/json',
      mode: 'async',
      tariff: 'bench',
    });
    for (const [id, limit] of Object.entries(limits)) await put(`/limits/${TENANT}/${id}`, limit);
    await eventually(async () => (await fetch(app.gateway + GuardedRoute.path)).status === 402);
    await delay(IN_FORCE_MS);
    return new GuardedRoute(app);
  }

  /** Of the quota: every payment that was taken, and none else. */
  async counted(): Promise<number> {
    const { body } = await admin(this.app, `/limits/${TENANT}/${QUOTA}/usage`);
    const { data } = JSON.parse(body) as { data: readonly { readonly used: string }[] };
    return data.reduce((sum, { used }) => sum + Number(used), 0);
  }

  /** For what is measured after it. */
  async withdraw(): Promise<void> {
    for (const id of Object.keys(limits)) await admin(this.app, `/limits/${TENANT}/${id}`, { method: 'DELETE' });
  }
}
