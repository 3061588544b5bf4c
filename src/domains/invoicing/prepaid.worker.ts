import { ApplyPrepaid, TakeBackPrepaid } from './prepaid.decide.js';

/** Accounts looked at in one reading. */
const PAGE = 500;

/** An account whose prepaid balance and invoices do not go together, as one reading found it. */
export interface PrepaidRow {
  readonly tenant: string;
  readonly customer: string;
  /** What was paid in less what was applied, in atomic units. */
  readonly balance: bigint;
  /** Version of the stream of applications, all of which the balance knows. */
  readonly turn: number;
  /** Its oldest open invoice. */
  readonly open?: { readonly sequence: number; readonly version: number };
}

/** Those after an account, in order; at most so many. */
export type ReadPrepaid = (after: readonly [tenant: string, customer: string], limit: number) => Promise<PrepaidRow[]>;

/**
 * Pays open invoices from what was paid in, the oldest first, and takes back what is not there any more. What is read may be old by the
 * time that it is written; then nothing is, so any number of workers may do it at once, and be killed.
 */
export class PrepaidWorker {
  /** What came to nothing, by account, and is not tried again as it stands. */
  private idle = new Map<string, string>();

  constructor(
    private readonly read: ReadPrepaid,
    private readonly write: (command: ApplyPrepaid | TakeBackPrepaid) => Promise<boolean>,
  ) {}

  /** One turn over all accounts. What fails for one does not keep the others waiting. */
  async step(): Promise<false> {
    const idle = new Map<string, string>();
    const failures: unknown[] = [];
    for await (const row of this.rows()) {
      const account = `${row.tenant}/${row.customer}`;
      const { balance, open, turn } = row;
      const found = [balance, turn, open?.sequence, open?.version].join('/');
      try {
        if (this.idle.get(account) === found || !(await this.write(commandOf(row)))) idle.set(account, found);
      } catch (error) {
        failures.push(error);
      }
    }
    this.idle = idle;
    if (failures.length > 0) throw failures[0];
    return false;
  }

  private async *rows(): AsyncGenerator<PrepaidRow> {
    let after: readonly [string, string] = ['', ''];
    for (;;) {
      const rows = await this.read(after, PAGE);
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) return;
      after = [last.tenant, last.customer];
    }
  }
}

function commandOf({ balance, customer, open, tenant, turn }: PrepaidRow): ApplyPrepaid | TakeBackPrepaid {
  if (balance < 0n || !open) return new TakeBackPrepaid(tenant, customer, turn);
  return new ApplyPrepaid(tenant, customer, open.sequence, open.version, turn, balance);
}
