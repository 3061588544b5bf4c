import { parseFlags, UsageError } from './command.js';

export interface AgentOptions {
  /** How many requests to pay, at least 1. */
  readonly calls: number;
  readonly pay: 'instant' | 'deferred';
  /** Base URL of the gateway; taken from the data folder of a running Tollbook if absent. */
  readonly url?: string;
  /** Folder for the receipts and the keys to check them with; none are kept if absent. */
  readonly receipts?: string;
}

const USAGE =
  'Usage: npm run agent -- [--calls N] [--pay instant|deferred] [--url http://localhost:4020] [--receipts DIR]';
const FLAGS = {
  calls: { type: 'string', default: '20' },
  pay: { type: 'string', default: 'instant' },
  url: { type: 'string' },
  receipts: { type: 'string' },
} as const;

/** Reads `--calls N --pay instant|deferred --url URL --receipts DIR`. Throws `UsageError`. */
export function parseAgentOptions(args: readonly string[]): AgentOptions {
  const { calls, pay, url, receipts } = parseFlags(args, FLAGS, USAGE);
  if (!/^[1-9]\d{0,5}$/.test(calls)) throw new UsageError(`--calls is a number from 1 to 999999, not "${calls}"`);
  if (pay !== 'instant' && pay !== 'deferred') throw new UsageError(`--pay is instant or deferred, not "${pay}"`);
  if (url !== undefined) checkLocal(url);
  if (pay === 'deferred' && receipts !== undefined)
    throw new UsageError('A commitment has no receipt yet: leave --receipts away');
  if (receipts === '') throw new UsageError('--receipts is a folder to write them to');
  return { calls: Number(calls), pay, url, receipts };
}

/** The agent's key is public, so it pays only on this machine. */
function checkLocal(url: string): void {
  const host = URL.canParse(url) ? new URL(url).hostname : undefined;
  if (host === undefined) throw new UsageError(`--url is an address such as http://localhost:4020, not "${url}"`);
  if (host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || host.startsWith('127.')) return;
  throw new UsageError(`The agent pays with a public test key, so only a gateway on this machine: not ${host}`);
}
