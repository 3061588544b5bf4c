import type { Pool } from 'pg';
import { GroupCommit } from '../../base/event-store/group-commit.js';
import type { LogTail } from '../../base/event-store/log-tail.js';
import type { AccountAt } from '../../base/event-store/unit-of-work.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import type { Address, Network } from '../../base/shared/hex.js';
import type { Billing, CustomerId } from './account.js';
import type { SigningJwk } from './signing-key.js';

/** Read anew at least this often, should a notice be missed, in milliseconds. */
const REFRESH_MS = 5_000;
/** Callers that share one reading. */
const WAITING_MAX = 10_000;

/** An account as it was at a revision: what is decided by it names that revision (`Write.account`). */
export interface BilledAccount extends AccountAt {
  readonly customer: CustomerId;
  readonly currency: string;
  /** The token in whose atomic units the amounts are. */
  readonly network: Network;
  readonly asset: Address;
  readonly decimals: number;
  /** What may be owed at most, in atomic units; 0: all is paid in advance. */
  readonly creditLine: bigint;
  readonly billing: Billing;
  /** `suspended`: nothing more may be owed. */
  readonly status: 'active' | 'suspended';
  /** Not revoked, by RFC 7638 thumbprint. */
  readonly keys: ReadonlyMap<string, SigningJwk>;
  readonly wallets: readonly Address[];
}

interface AccountRow extends AccountAt {
  readonly customer: CustomerId;
  readonly currency: string;
  readonly network: Network;
  readonly asset: Address;
  readonly decimals: number;
  readonly line: string;
  readonly period: 'month';
  readonly zone: string;
  readonly suspended: string | null;
  readonly keys: Readonly<Record<string, string>> | null;
  readonly wallets: readonly Address[] | null;
}

/** One statement, so that no account is seen with the keys of another revision. */
const READ = {
  name: 'accounts',
  text: `select a.tenant, a.customer, a.currency, a.network, a.asset, a.decimals, a.credit_line::text as line, a.period,
           a.time_zone as zone, a.suspended, a.revision,
           (select jsonb_object_agg(k.key_id, k.x) from account_keys k
             where k.tenant = a.tenant and k.customer = a.customer) as keys,
           (select jsonb_agg(w.wallet order by w.wallet) from account_wallets w
             where w.tenant = a.tenant and w.customer = a.customer) as wallets
         from accounts a`,
};

/**
 * Who may pay later, as of a moment ago: for what must cost no store. It may lag, so a write that lets something in on credit
 * names the account's revision; if that is refused with `AccountChanged`, `again` brings the book up to date.
 */
export class AccountBook {
  private accounts: ReadonlyMap<string, BilledAccount> = new Map();
  private byKey: ReadonlyMap<string, BilledAccount> = new Map();
  private byWallet: ReadonlyMap<string, BilledAccount> = new Map();
  private tenants: ReadonlySet<string> = new Set();
  private readonly readings: GroupCommit<undefined, undefined>;
  private readonly loop: WakeLoop;

  constructor(
    private readonly pool: Pool,
    private readonly tail: LogTail,
    log: Logger,
  ) {
    this.readings = new GroupCommit(
      (all) => this.read(all),
      () => [],
      WAITING_MAX,
    );
    this.loop = new WakeLoop('accounts', () => this.again(), REFRESH_MS, log);
  }

  async start(): Promise<void> {
    await this.again();
    this.tail.onAppended(() => this.loop.wake());
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Resolves when all that was committed before the call is in the book. Calls that come together share one reading. */
  async again(): Promise<false> {
    await this.readings.add(undefined);
    return false;
  }

  accountById(tenant: string, customer: string): BilledAccount | undefined {
    return this.accounts.get(`${tenant}/${customer}`);
  }

  /** @param key RFC 7638 thumbprint */
  accountByKeyId(tenant: string, key: string): BilledAccount | undefined {
    return this.byKey.get(`${tenant}/${key}`);
  }

  accountByWallet(tenant: string, wallet: string): BilledAccount | undefined {
    return this.byWallet.get(`${tenant}/${wallet}`);
  }

  /** Whether anybody may pay this tenant later. */
  hasAccounts(tenant: string): boolean {
    return this.tenants.has(tenant);
  }

  private async read(readers: readonly undefined[]) {
    const { rows } = await this.pool.query<AccountRow>(READ);
    const all = rows.map(accountOf);
    this.accounts = new Map(all.map((account) => [`${account.tenant}/${account.customer}`, account]));
    this.byKey = new Map(
      all.flatMap((account) => [...account.keys.keys()].map((key) => [`${account.tenant}/${key}`, account])),
    );
    this.byWallet = new Map(
      all.flatMap((account) => account.wallets.map((wallet) => [`${account.tenant}/${wallet}`, account])),
    );
    this.tenants = new Set(all.map(({ tenant }) => tenant));
    return readers.map(() => ({ ok: undefined }));
  }
}

function accountOf({ keys, line, period, suspended, wallets, zone, ...same }: AccountRow): BilledAccount {
  const jwks = Object.entries(keys ?? {}).map(([key, x]) => [key, { kty: 'OKP', crv: 'Ed25519', x }] as const);
  return {
    ...same,
    creditLine: BigInt(line),
    billing: { period, timeZone: zone },
    status: suspended === null ? 'active' : 'suspended',
    keys: new Map(jwks),
    wallets: wallets ?? [],
  };
}
