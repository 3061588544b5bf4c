import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { readJson, writePrivateJson } from '../../base/platform/private-file.js';
import type { AdminClient } from './admin-client.js';

/** Whom the agent buys as when it pays later. */
export interface AgentAccount {
  readonly customer: string;
  /** Its Ed25519 key pair, a JWK. */
  readonly key: Readonly<Record<string, string>>;
  /** Opened a moment ago: gateways may not have heard of it yet. */
  readonly fresh: boolean;
}

const TENANT = 'demo';
/** Five dollars, in atomic units of USDC. */
const CREDIT_LINE = '5000000';

/**
 * The agent's account at the demo tenant, opened over REST the first time. Its key is kept in the data folder of the Tollbook that
 * runs; if the process ends before that, the next one opens another account.
 *
 * @throws AdminRefusal, UsageError
 */
export async function agentAccount(dataDir: string, admin: AdminClient): Promise<AgentAccount> {
  const file = join(dataDir, 'agent-account.json');
  const kept = await readJson<Omit<AgentAccount, 'fresh'>>(file);
  if (kept && (await admin.find(`/accounts/${TENANT}/${kept.customer}`))) return { ...kept, fresh: false };
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const opened = await admin.post(`/accounts/${TENANT}`, { credit_line: CREDIT_LINE }, randomUUID());
  const customer = String(opened.body.customer);
  await admin.post(`/accounts/${TENANT}/${customer}/keys`, { jwk: publicKey.export({ format: 'jwk' }) }, randomUUID());
  const key = privateKey.export({ format: 'jwk' }) as Record<string, string>;
  await writePrivateJson(file, { customer, key });
  return { customer, key, fresh: true };
}
