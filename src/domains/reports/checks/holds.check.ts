import type { Projection } from '../../../base/event-store/projection-runner.js';
import { ofSameStream } from '../../../base/event-store/stream-key.js';
import type { Check, CheckContext, Progress } from './check.js';
import { checkpointOf } from './checkpoint.js';
import { Findings } from './findings.js';
import { holdsOfAuthorization } from './holds.sql.js';
import { inSnapshot } from './snapshot.js';

/** What each event of a payment with a hold does to the exposure, as admissions and settlement count it. */
const CHANGES = `
  case e.type when 'PaymentAuthorized' then 1 when 'DeliveryRestarted' then 1 when 'SettlementReverted' then 1
    when 'DeliveryFailed' then -1 when 'DeliveryInterrupted' then -1 when 'PaymentSettled' then -1 else 0 end`;

/** Holds by key: as limits count them, as the ledger has them, and what the ledger has not seen yet. */
const COMPARED = `
  with mirrored as (
    select 'exposure/' || b.tenant || '/' || replace(b.asset, '/erc20:', '/') || '/' || a.party as key,
      sum(a.debits_pending + a.debits_posted - a.credits_posted) as owed
    from ledger_accounts a join ledger_books b on b.id = a.book
    where a.kind = 'customer_receivable' group by 1),
  unseen as (
    select held.key, sum(${CHANGES} * held.amount) as owed
    from events e join events a on ${ofSameStream('e.stream')} and a.version = 1
    cross join lateral ${holdsOfAuthorization} as held
    where e.position > $1 and e.stream like 'payment/%' group by 1)
  select coalesce(h.key, m.key, u.key) as key, coalesce(h.held, 0)::text as held,
    (coalesce(m.owed, 0) + coalesce(u.owed, 0))::text as owed
  from hold_totals h full join mirrored m on m.key = h.key full join unseen u on u.key = coalesce(h.key, m.key)
  where coalesce(h.held, 0) <> coalesce(m.owed, 0) + coalesce(u.owed, 0)
    and coalesce(h.key, m.key, u.key) like 'exposure/%'
  order by 1`;

/**
 * What limits hold of each payer is what the ledger says the payer owes, both ways, at one moment. Events that the ledger
 * has not posted yet are added to its side, so a busy system compares exactly, too.
 */
export function holdsCheck(ledger: Pick<Projection, 'name' | 'version'>): Check {
  return {
    name: 'holds',
    run: ({ listed, pool }: CheckContext, onProgress: Progress) =>
      inSnapshot(
        pool,
        ['projection_checkpoints', 'hold_totals', 'ledger_books', 'ledger_accounts'],
        async (snapshot) => {
          const findings = new Findings(listed);
          const checkpoint = await checkpointOf(snapshot, ledger, findings);
          if (checkpoint === undefined) return findings.result({});
          onProgress(0, 1);
          for await (const rows of snapshot.pages<{ key: string; held: string; owed: string }>(COMPARED, [
            checkpoint,
          ])) {
            for (const { held, key, owed } of rows) findings.differ('hold', `hold_totals ${key}`, owed, held);
          }
          const [row] = await snapshot.query<{ holds: string }>(
            `select count(*) as holds from hold_totals where key like 'exposure/%'`,
          );
          onProgress(1, 1);
          return findings.result({
            holds: Number(row!.holds),
            'events not posted yet': Number(snapshot.head - checkpoint),
          });
        },
      ),
  };
}
