import fc from 'fast-check';
import type { Pool } from 'pg';
import type { StoredEvent } from '../../src/base/event-store/event.js';
import { listAccounts } from '../../src/domains/ledger/accounts.queries.js';
import { balanceOf } from '../../src/domains/ledger/balance.js';
import { runs } from '../support/long.js';
import { balances, happen, heldFor, type ModelPayment } from './model.js';
import type { PaidBefore } from './model-before.js';
import { apply, emptyBook, newRun, openBook, PAYEE, placed, writeLog } from './support.js';

const PAYERS = [`0x${'1'.repeat(40)}`, `0x${'2'.repeat(40)}`];
const ACCOUNTS_MAX = 100;

let pool: Pool;
beforeAll(async () => {
  pool = await openBook();
});
afterAll(() => pool?.end());

const payments = fc.array(
  fc.record({
    payer: fc.constantFrom(...PAYERS),
    amount: fc.bigInt(0n, 10n ** 30n),
    flow: fc.constantFrom('credit', 'first', 'before', 'before again'),
  }),
  { minLength: 1, maxLength: 8 },
);
const happenings = fc.array(fc.record({ payment: fc.nat(7), choice: fc.nat(11) }), { minLength: 20, maxLength: 80 });
/** How the log is taken: by which process, how much at once, and what goes wrong. */
const batches = fc.array(
  fc.record({
    process: fc.nat(1),
    size: fc.integer({ min: 1, max: 12 }),
    fault: fc.constantFrom('none', 'none', 'crash', 'forget', 'repeat'),
  }),
  { minLength: 1, maxLength: 30 },
);
type Batch = { readonly process: number; readonly size: number; readonly fault: string };

/** Applies the log as the batches say, in turn, until all of it is applied. */
async function applyAll(events: readonly StoredEvent[], plan: readonly Batch[]): Promise<void> {
  const processes = [newRun(), newRun()];
  let done = 0;
  for (let turn = 0; done < events.length; turn++) {
    const { fault, process, size } = plan[turn % plan.length]!;
    const run = processes[process]!;
    if (fault === 'crash') {
      await apply(pool, run, events.slice(done, done + size), 'rollback');
      processes[process] = newRun();
    }
    // A process that does not know how far the others have come applies some events again.
    const from = fault === 'repeat' ? Math.max(0, done - size) : done;
    await apply(pool, processes[process]!, events.slice(from, done + size));
    if (fault === 'forget') processes[process] = newRun();
    done += size;
  }
}

function modelOf({ amount, flow, payer }: { payer: string; amount: bigint; flow: string }): ModelPayment | PaidBefore {
  const begun = { payer, amount, refunded: 0n, version: 0 };
  if (flow === 'credit' || flow === 'first')
    return { ...begun, hold: flow === 'credit', state: 'new', returned: false };
  return { ...begun, mode: 'before', idempotent: flow === 'before again', money: 'new', request: 'no' };
}

describe('the ledger', () => {
  it('comes to what the payments come to, whatever happens, however often and in whatever portions', async () => {
    await fc.assert(
      fc.asyncProperty(payments, happenings, batches, async (terms, choices, plan) => {
        await emptyBook(pool);
        const model = terms.map(modelOf);
        const facts = choices.flatMap(({ choice, payment }) => {
          const index = payment % model.length;
          return happen(model[index]!, `payment/pay_${index}`, choice) ?? [];
        });
        const events = placed(facts);
        await writeLog(pool, events);
        await applyAll(events, plan);

        const { rows } = await listAccounts(pool, {}, undefined, 0, ACCOUNTS_MAX);
        const found = rows.map(({ kind, party, sums }) => {
          const { pending, posted } = balanceOf(kind, sums);
          return [`${kind} ${party === PAYEE ? 'payee' : party}`, { posted, pending }] as const;
        });
        const standing = found.filter(([, { pending, posted }]) => posted !== 0n || pending !== 0n);
        expect(new Map(standing)).toEqual(balances(model));
        for (const payer of PAYERS) {
          const account = rows.find(({ kind, party }) => kind === 'customer_receivable' && party === payer);
          const { creditsPosted = 0n, debitsPending = 0n, debitsPosted = 0n } = account?.sums ?? {};
          expect(debitsPending + debitsPosted - creditsPosted).toBe(heldFor(model, payer));
        }
      }),
      runs(25, 500),
    );
  });
});
