import { hkdfSync, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { privateKeyToAddress } from 'viem/accounts';
import type { Address, Hex } from '../shared/hex.js';
import { configError, type Environment, loadConfig } from './config.js';
import { createPrivateJson, readJson } from './private-file.js';

/** Never logged, never in an error. Gateways and workers of one installation share them. */
export interface Secrets {
  readonly adminKey: string;
  /** secp256k1; pay the gas of settlements. At least one. */
  readonly settlerKeys: readonly Hex[];
  /** secp256k1; hold the money that refunds are paid from. The first one pays new refunds; none: there is no refund wallet. */
  readonly refundKeys: readonly Hex[];
  /** Seed of an Ed25519 key, 32 bytes. */
  readonly receiptKey: Hex;
  readonly quoteSecret: Buffer;
  /** AES-256 key of stored answers. */
  readonly answerKey: Buffer;
  /** HMAC key of the digests by which API keys, of customers and of tenants' servers, are found. */
  readonly customerKeySecret: Buffer;
  /** Encrypts what facilitators of tenants are shown. */
  readonly facilitatorKey: Buffer;
  /** Encrypts by what tenants reach their card processors. */
  readonly cardKey: Buffer;
  /** HMAC key of the headers that tell an upstream who paid. */
  readonly upstreamSecret: Buffer;
  /** Where the demo tenant is paid; its key is derived too, so the money is not lost. */
  readonly demoPayee: Address;
}

const VARIABLES = [
  'TOLLBOOK_ADMIN_KEY',
  'TOLLBOOK_SIGNER_KEY',
  'TOLLBOOK_RECEIPT_KEY',
  'TOLLBOOK_QUOTE_SECRET',
] as const;

/** What `secrets.json` holds. */
interface StoredSecrets {
  readonly adminKey: string;
  /** One key, or several with commas between them. */
  readonly settlerKey: string;
  readonly receiptKey: string;
  readonly quoteSecret: string;
  /** As `settlerKey`; missing in files of earlier versions. */
  readonly refundKey?: string;
}

/**
 * Secrets from the environment; those that it lacks from `secrets.json` in the data folder, which is made on the
 * first start. Of several processes that start at once all get the same.
 *
 * @throws ConfigError if a variable is malformed
 */
export async function loadSecrets(dataDir: string, env: Environment): Promise<Secrets> {
  loadConfig(env);
  const given = {
    adminKey: env.TOLLBOOK_ADMIN_KEY || undefined,
    settlerKey: env.TOLLBOOK_SIGNER_KEY || undefined,
    receiptKey: env.TOLLBOOK_RECEIPT_KEY || undefined,
    quoteSecret: env.TOLLBOOK_QUOTE_SECRET || undefined,
  };
  const complete = Object.values(given).every((secret) => secret !== undefined);
  const stored = complete ? undefined : await storedSecrets(dataDir);
  const pick = (name: keyof typeof given): string => {
    const secret = given[name] ?? stored?.[name];
    if (!secret) throw new Error(`${secretsFile(dataDir)} has no ${name}`);
    return secret;
  };
  const quoteSecret = Buffer.from(pick('quoteSecret'), 'utf8');
  const settlerKeys = keysIn(pick('settlerKey'));
  const refundKeys = keysIn(env.TOLLBOOK_REFUND_KEY || (stored?.refundKey ?? ''));
  if (refundKeys.some((key) => settlerKeys.includes(key)))
    throw configError([['TOLLBOOK_REFUND_KEY', 'another key than TOLLBOOK_SIGNER_KEY, whose wallets hold no money']]);
  return {
    adminKey: pick('adminKey'),
    settlerKeys,
    refundKeys,
    receiptKey: toHex(pick('receiptKey')),
    quoteSecret,
    answerKey: derive(quoteSecret, 'tollbook answers'),
    customerKeySecret: derive(quoteSecret, 'tollbook customer keys'),
    facilitatorKey: derive(quoteSecret, 'tollbook facilitators'),
    cardKey: derive(quoteSecret, 'tollbook cards'),
    upstreamSecret: derive(quoteSecret, 'tollbook upstream'),
    demoPayee: addressOf(toHex(derive(quoteSecret, 'tollbook demo payee').toString('hex'))),
  };
}

/** Whether there are secrets to load; if not, `loadSecrets` would make new ones. */
export async function hasSecrets(dataDir: string, env: Environment): Promise<boolean> {
  if (VARIABLES.every((name) => env[name])) return true;
  return (await readJson<StoredSecrets>(secretsFile(dataDir))) !== undefined;
}

async function storedSecrets(dataDir: string): Promise<StoredSecrets | undefined> {
  const file = secretsFile(dataDir);
  const existing = await readJson<StoredSecrets>(file);
  if (existing) return existing;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await createPrivateJson(file, newSecrets());
  return readJson<StoredSecrets>(file);
}

function newSecrets(): StoredSecrets {
  const random = () => randomBytes(32).toString('hex');
  return {
    ...{ adminKey: random(), settlerKey: random(), receiptKey: random(), quoteSecret: random() },
    refundKey: random(),
  };
}

function secretsFile(dataDir: string): string {
  return join(dataDir, 'secrets.json');
}

/** RFC 5869 with SHA-256, no salt; 32 bytes. */
function derive(secret: Buffer, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), label, 32));
}

/** One key, or several with commas between them; none in an empty text. */
function keysIn(text: string): readonly Hex[] {
  const keys = text.split(',').filter((one) => one.trim() !== '');
  return [...new Set(keys.map((one) => toHex(one.trim())))];
}

function toHex(key: string): Hex {
  return `0x${key.replace(/^0x/, '').toLowerCase()}`;
}

function addressOf(privateKey: Hex): Address {
  return privateKeyToAddress(privateKey).toLowerCase() as Address;
}
