import type { Pool } from 'pg';
import type { EventStore } from '../../base/event-store/event-store.js';
import { RequestCardCharge } from '../settlement/cards/card-charge.decide.js';
import { foldCharge } from '../settlement/cards/card-charge.evolve.js';
import { cardChargeStream, chargeIdOf } from '../settlement/cards/card-charge.js';
import { attemptDue, type LastCharge } from './card-collection.decide.js';
import { foldInvoice, outstandingOf } from './invoice.evolve.js';
import { invoiceStream } from './invoice.js';

/** Looked at in one turn. */
const TURN = 500;

interface Candidate {
  readonly id: string;
  readonly tenant: string;
  readonly customer: string;
  readonly sequence: number;
  readonly version: number;
  readonly method: string;
  readonly attempt: number | null;
}

/** Unpaid invoices of accounts that pay by card, but for those whose newest charge is under way or has succeeded. */
const UNPAID = `
  select i.id, i.tenant, i.customer, i.sequence, i.version, a.pay_reference as method, c.attempt
  from invoices i join accounts a on a.tenant = i.tenant and a.customer = i.customer
    join card_accounts p on p.tenant = i.tenant
    left join lateral (select attempt, state from card_charges c where c.tenant = i.tenant and c.invoice = i.id
      order by attempt desc limit 1) as c on true
  where i.state in ('open', 'partially_paid') and a.way_to_pay = 'card' and a.pay_reference is not null
    and (c.state is null or c.state in ('declined', 'action_required')) and (i.tenant, i.customer, i.sequence) > ($1, $2, $3)
  order by i.tenant, i.customer, i.sequence limit $4`;

/**
 * Asks for what is outstanding of invoices whose accounts pay by card. The id of a charge follows from the invoice and the attempt, and its
 * stream is claimed once: any number of workers may ask at once, and be killed.
 */
export class CardCollection {
  /** Of which nothing is due, until something of this changes; as far as this process knows. */
  private quiet = new Map<string, string>();

  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    private readonly store: Pick<EventStore, 'readStream'>,
    private readonly write: (command: RequestCardCharge) => Promise<unknown>,
  ) {}

  /** One turn over all that is unpaid. */
  async step(): Promise<boolean> {
    const quiet = new Map<string, string>();
    for await (const one of this.unpaid()) {
      const known = `${one.version} ${one.method} ${one.attempt}`;
      if (this.quiet.get(one.id) !== known) await this.ask(one);
      quiet.set(one.id, known);
    }
    this.quiet = quiet;
    return false;
  }

  private async ask({ attempt: newest, customer, id, method, sequence, tenant }: Candidate): Promise<void> {
    const stream = await this.store.readStream(invoiceStream(tenant, customer, sequence));
    const invoice = foldInvoice(stream);
    if (invoice?.finalized === undefined) return;
    const last = newest === null ? undefined : await this.last(tenant, id, newest);
    const attempt = attemptDue(invoice, last, method);
    if (attempt === undefined) return;
    const { asset, network } = invoice.drafted;
    const { currency, scale } = invoice.finalized;
    await this.write(
      new RequestCardCharge(chargeIdOf(tenant, id, attempt), {
        ...{ tenant, customer, invoice: id, sequence, attempt, notice: invoice.noticed, method },
        ...{ amount: outstandingOf(invoice).toString(), currency, description: `Invoice ${id}` },
        ...{ network, asset, scale },
      }),
    );
  }

  /** As its stream says, which may be later than the row. */
  private async last(tenant: string, invoice: string, attempt: number): Promise<LastCharge> {
    const stream = await this.store.readStream(cardChargeStream(tenant, chargeIdOf(tenant, invoice, attempt)));
    const { asked, declined, status } = foldCharge(stream)!;
    return { attempt, notice: asked.notice, method: asked.method, state: status, final: declined?.final ?? false };
  }

  private async *unpaid(): AsyncGenerator<Candidate> {
    let last: readonly [string, string, number] = ['', '', 0];
    for (;;) {
      const { rows } = await this.pool.query<Candidate>(UNPAID, [...last, TURN]);
      yield* rows;
      const end = rows.at(-1);
      if (end === undefined || rows.length < TURN) return;
      last = [end.tenant, end.customer, end.sequence];
    }
  }
}
