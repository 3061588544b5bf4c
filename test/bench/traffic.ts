import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../support/app.js';
import { acceptsOf, type Holder, openAccount } from '../support/committing.js';
import { eventually } from '../support/eventually.js';
import { send } from '../support/http.js';
import { Books } from './books.js';
import { alternate, type Contender, runOnce } from './compare.js';
import { GuardedRoute } from './guarded-route.js';
import type { Job, Outcome } from './load.js';
import { BenchProcess, type CpuProbe, cpuSeconds, type Measured, processTree } from './processes.js';
import { testPayers } from './sign-payment.js';
import type { Series } from './statistics.js';

const ROUNDS = 3;
const OFFER_SECONDS = 3;
/** Until the compiler has settled; shorter, and the first rounds measure it instead. */
const WARM_SECONDS = 8;
const PAYERS = 8;
const OUR_PAYMENTS = 3_000;
const WARM_PAYMENTS = 3_000;
const THEIR_PAYMENTS = 1_000;
/** Atomic units; far from what a run uses. */
const CREDIT_LINE = 10n ** 15n;
const ROUTE = '/demo/weather';
/** Invalid signatures a second, a little more than the goal, since the last of them are answered late; and for how long. */
const FLOOD_RATE = 2_100;
const FLOOD_SECONDS = 4;
const FLOOD_HEAD_START_MS = 500;

/** Honest payments alone and beside a flood, at one steady rate. */
export interface FloodRates {
  /** Honest payments sent a second: half of what they reach alone. */
  readonly rate: number;
  readonly alone: Measured[];
  readonly beside: Measured[];
  readonly floods: Outcome[];
}

type Served = Awaited<ReturnType<typeof BenchProcess.serve>>;

/** Requests from outside, to Tollbook and to the official middleware in turn. */
export class Traffic {
  private constructor(
    private readonly app: App,
    private readonly books: Books,
    private readonly generator: BenchProcess,
    private readonly facilitator: Served,
    private readonly official: Served,
    private readonly note: (line: string) => void,
  ) {}

  static async start(app: App, note: (line: string) => void): Promise<Traffic> {
    const facilitator = await BenchProcess.serve('facilitator-stub.ts');
    const official = await BenchProcess.serve('official-server.ts', facilitator.url);
    return new Traffic(app, new Books(app), BenchProcess.start('load.ts'), facilitator, official, note);
  }

  async stop(): Promise<void> {
    for (const process of [this.generator, this.official.process, this.facilitator.process]) process.stop();
    await this.books.close();
  }

  async compareOffers() {
    this.note('\n402 offers');
    const { official } = this;
    const plain = await BenchProcess.serve('plain-server.ts');
    const contenders = (seconds: number) => {
      const ask = (name: string, url: string, expect: number, probe: CpuProbe): Contender => {
        return { name, job: { kind: 'gets', url: url + ROUTE, seconds }, expect, probe };
      };
      return [
        ask('Tollbook', this.app.gateway, 402, wholeOfTollbook(this.app)),
        ask('@x402/express', official.url, 402, serverOnly(official.process.pid)),
        ask('plain Fastify', plain.url, 200, serverOnly(plain.process.pid)),
      ];
    };
    try {
      for (const warmUp of contenders(WARM_SECONDS)) await runOnce(this.generator, warmUp);
      const series = await alternate(this.generator, contenders(OFFER_SECONDS), ROUNDS, this.note);
      return { ours: series[0]!, official: series[1]!, plain: series[2]! };
    } finally {
      plain.process.stop();
    }
  }

  /**
   * Ours with quotas, limits and a price by volume. Settlement sleeps meanwhile; it is work for later on both sides.
   * Afterwards each payment must be counted and settled once.
   */
  async comparePayments(): Promise<{ ours: Series; official: Series }> {
    this.note('\nPaid requests with quotas, limits and a price by volume');
    const { books, generator } = this;
    const guarded = await GuardedRoute.publish(this.app);
    const url = this.app.gateway + GuardedRoute.path;
    let paid = 0;
    const pay = (name: string, url: string, count: number, probe: CpuProbe): Contender => {
      return { name, job: { kind: 'payments', url, count, payers: PAYERS }, expect: 200, probe };
    };
    const ours = pay('Tollbook', url, OUR_PAYMENTS, wholeOfTollbook(this.app));
    const warmUp = async (count: number) => {
      await runOnce(generator, pay('Tollbook (warm-up)', url, count, wholeOfTollbook(this.app)));
      paid += count;
      await books.quiet();
    };
    // Strangers wait for their settlement; after these, all payers are known.
    await warmUp(PAYERS);
    await warmUp(WARM_PAYMENTS);
    const { official } = this;
    const theirs = pay('@x402/express', official.url + ROUTE, THEIR_PAYMENTS, serverOnly(official.process.pid));
    await runOnce(generator, theirs);
    await books.drained(() => undefined);
    await books.pauseSettlement();
    const before = async () => {
      await warmUp(PAYERS);
      paid += OUR_PAYMENTS;
    };
    const contenders = [
      { ...ours, before },
      { ...theirs, before: () => books.quiet() },
    ];
    const [first, second] = await alternate(generator, contenders, ROUNDS, this.note);
    const counted = await guarded.counted();
    if (counted !== paid) throw new Error(`${paid} payments were taken, and the quota counts ${counted}`);
    await this.checkSettledOnce(paid);
    await guarded.withdraw();
    return { ours: first!, official: second! };
  }

  /** Requests that are signed and paid later, held and captured on the credit line of each account. Each must be owed once. */
  async compareCommitments(): Promise<{ ours: Series; official: Series }> {
    this.note('\nCommitted requests');
    const { app, books, generator, official } = this;
    const holders = await Promise.all(Array.from({ length: PAYERS }, () => openAccount(app, 'demo', CREDIT_LINE)));
    const url = app.gateway + ROUTE;
    let committed = 0;
    const commit = (name: string, count: number): Contender => {
      committed += count;
      return { name, job: { kind: 'commitments', url, count, holders }, expect: 200, probe: wholeOfTollbook(app) };
    };
    await offeredLater(url);
    await runOnce(generator, commit('warm-up', WARM_PAYMENTS));
    const pay: Job = { kind: 'payments', url: official.url + ROUTE, count: THEIR_PAYMENTS, payers: PAYERS };
    const probe = serverOnly(official.process.pid);
    const theirs: Contender = { name: '@x402/express', job: pay, expect: 200, probe };
    await runOnce(generator, theirs);
    const before = () => books.quiet();
    const contenders = [
      { ...commit('Tollbook', OUR_PAYMENTS), before },
      { ...theirs, before },
    ];
    committed += OUR_PAYMENTS * (ROUNDS - 1);
    const [first, second] = await alternate(generator, contenders, ROUNDS, this.note);
    await this.checkOwedOnce(holders, committed);
    return { ours: first!, official: second! };
  }

  private async checkOwedOnce(holders: readonly Holder[], committed: number): Promise<void> {
    await this.books.quiet();
    const { charged, delivered, owed } = await this.books.committed(holders.map(({ customer }) => customer));
    if (delivered !== committed || charged !== owed) {
      throw new Error(`${committed} were committed, ${delivered} delivered; ${charged} charged, ${owed} owed`);
    }
    this.note(`${committed} commitments, each owed once`);
  }

  /** Honest payers at half of what they could do alone, by themselves and beside a flood of payments that nobody signed. */
  async compareFlood(): Promise<FloodRates> {
    this.note('\nPaid requests beside invalid signatures');
    const { books, generator } = this;
    const url = this.app.gateway + ROUTE;
    const pay = (name: string, count: number, rate?: number): Contender => {
      const job: Job = { kind: 'payments', url, count, payers: PAYERS, rate };
      return { name, job, expect: 200, probe: wholeOfTollbook(this.app) };
    };
    await runOnce(generator, pay('strangers', PAYERS));
    await runOnce(generator, pay('warm-up', WARM_PAYMENTS));
    await books.drained(() => undefined);
    await books.pauseSettlement();
    const most = await runOnce(generator, pay('as fast as they can', OUR_PAYMENTS));
    const rate = Math.floor(most.requests / most.seconds / 2);
    const rates: FloodRates = { rate, alone: [], beside: [], floods: [] };
    const attacker = BenchProcess.start('load.ts');
    try {
      for (let round = 1; round <= ROUNDS; round++) {
        for (const flooded of [false, true]) {
          await books.quiet();
          await runOnce(generator, pay('known again', PAYERS));
          const honest = pay('honest', rate * FLOOD_SECONDS, rate);
          const flood = flooded ? await this.flood(attacker, url) : undefined;
          const measured = await runOnce(generator, { ...honest, whenReady: flood?.begin });
          (flooded ? rates.beside : rates.alone).push(measured);
          if (flood) rates.floods.push(await flood.end());
          const beside = flooded ? 'beside the flood' : 'alone';
          this.note(`round ${round}/${ROUNDS} ${beside}: ${Math.round(measured.requests / measured.seconds)}/s`);
        }
      }
    } finally {
      attacker.stop();
    }
    await books.resumeSettlement();
    await books.drained(() => undefined);
    return rates;
  }

  /** A flood that is ready to begin; it outlasts the honest payments beside it. */
  private async flood(attacker: BenchProcess, url: string) {
    const count = FLOOD_RATE * (FLOOD_SECONDS + 2);
    const ready = attacker.receive<'ready'>();
    attacker.send({ kind: 'forgeries', url, count, payers: PAYERS, rate: FLOOD_RATE });
    await ready;
    let outcome: Promise<Outcome> | undefined;
    const begin = async () => {
      outcome = attacker.receive<Outcome>();
      attacker.send('run');
      await delay(FLOOD_HEAD_START_MS);
    };
    return { begin, end: () => outcome! };
  }

  private async checkSettledOnce(paid: number): Promise<void> {
    const { books, note } = this;
    note('\nSettling what was paid…');
    await books.resumeSettlement();
    const start = performance.now();
    let next = paid;
    const states = await books.drained((open) => {
      if (open > next) return;
      note(`${open} open after ${((performance.now() - start) / 1000).toFixed(0)} s`);
      next = open - paid / 10;
    });
    const { token, payee } = await books.termsOf(ROUTE);
    const payers = testPayers(PAYERS).map(({ address }) => address);
    const { authorizations, transfers } = await books.onChain(token, payers, payee);
    if (states.settled !== paid || authorizations !== paid || transfers !== paid) {
      const found = JSON.stringify({ states, authorizations, transfers });
      throw new Error(`${paid} payments were taken, and they are not settled exactly once: ${found}`);
    }
    note(`${paid} payments, each settled exactly once`);
  }
}

/** Gateways hear of a tenant's first account a moment later. */
async function offeredLater(url: string): Promise<void> {
  await eventually(async () => acceptsOf(await send({ url })).some(({ scheme }) => scheme === 'batch-settlement'));
}

function serverOnly(pid: number): CpuProbe {
  return () => ({ server: cpuSeconds(pid) });
}

/** The server process, which in this mode is gateway, control, worker and projections in one, and its Postgres and Redis. */
function wholeOfTollbook(app: App): CpuProbe {
  const names = { root: 'server', node: 'upstream', postgres: 'Postgres', 'redis-server': 'Redis' };
  return () => {
    const tree = processTree(app.pid);
    const parts = Object.entries(names).filter(([program]) => tree.has(program));
    return Object.fromEntries(
      parts.map(([program, name]) => [name, tree.get(program)!.reduce((sum, pid) => sum + cpuSeconds(pid), 0)]),
    );
  };
}
