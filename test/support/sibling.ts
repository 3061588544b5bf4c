import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, startApp } from './app.js';

/** Another process of the same installation: the same engines, secrets and public address. */
export function startSibling(app: App, role: 'gateway' | 'control' | 'worker'): Promise<App> {
  return startApp({ env: { ROLE: role, ...installationOf(app) } });
}

/** The variables by which a process belongs to the installation of another. */
export function installationOf(app: App): Record<string, string> {
  const secrets = JSON.parse(readFileSync(join(app.dataDir, 'secrets.json'), 'utf8')) as Record<string, string>;
  return {
    PUBLIC_URL: app.gateway,
    DATABASE_URL: app.engines.postgres,
    REDIS_URL: app.engines.redis,
    CHAIN_RPC_URL: app.engines.chain,
    TOLLBOOK_ADMIN_KEY: secrets.adminKey!,
    TOLLBOOK_SIGNER_KEY: secrets.settlerKey!,
    TOLLBOOK_RECEIPT_KEY: secrets.receiptKey!,
    TOLLBOOK_QUOTE_SECRET: secrets.quoteSecret!,
  };
}
