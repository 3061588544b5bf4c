import { randomUUID } from 'node:crypto';
import { type DynamicModule, Inject, Injectable, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import type { SettlementChain } from './base/chain/chain.js';
import { settlementChain } from './base/chain/chains.js';
import { Payers } from './base/chain/payers.js';
import { LogTail } from './base/event-store/log-tail.js';
import { calendarPeriod } from './base/shared/calendar-window.js';
import { wayToPayHandler } from './domains/customers/account.handlers.js';
import { AccountBook } from './domains/customers/account-book.js';
import { AllowanceBook } from './domains/customers/allowance-book.js';
import { CustomerTariffBook } from './domains/customers/customer-tariff-book.js';
import { KeyFinder } from './domains/customers/key-finder.js';
import { screeningOf } from './domains/customers/screening.js';
import type { Screening } from './domains/customers/screening.port.js';
import { StandingBook } from './domains/customers/standing-book.js';
import { tenantWithKey } from './domains/customers/tenant-key.queries.js';
import { LimitsFeed } from './domains/limits/limits-feed.js';
import { UsageBook } from './domains/metering/usage-book.js';
import { AnswerStore } from './domains/payments/answers.js';
import { GatewayLease } from './domains/payments/gateway-lease.js';
import { OutcomeWatch } from './domains/payments/outcome-watch.js';
import { PaymentsModule } from './domains/payments/payments.module.js';
import { CatalogueFeed } from './domains/pricing/catalogue-feed.js';
import type { CircumstancesPort } from './domains/pricing/circumstances.port.js';
import { QuoteLock } from './domains/pricing/quote-lock.js';
import { routesCounted } from './domains/pricing/whose-tariff.js';
import { OfferSigner } from './domains/receipts/offers.js';
import { ReceiptDesk } from './domains/receipts/proved-receipt.js';
import { ReceiptSigner } from './domains/receipts/receipt-signer.js';
import { CardsModule } from './domains/settlement/cards/cards.module.js';
import { isSettledByOthers } from './domains/settlement/facilitators/facilitators.queries.js';
import { GasWatches } from './domains/settlement/gas-watches.js';
import { AdmissionDesk } from './edges/gateway/admission.js';
import { CallerDesk } from './edges/gateway/caller.js';
import { trustedProxies } from './edges/gateway/client-address.js';
import { CommitDesk } from './edges/gateway/commit-desk.js';
import { DataPlane } from './edges/gateway/data-plane.js';
import { DeliveryDesk } from './edges/gateway/delivery.js';
import { DoubtfulNonces } from './edges/gateway/doubtful-nonces.js';
import {
  FacilitatorController,
  SETTLERS,
  TENANT_WITH_KEY,
  type TenantWithKey,
} from './edges/gateway/facilitator/facilitator.controller.js';
import { FacilitatorDesk } from './edges/gateway/facilitator/facilitator-desk.js';
import { FloodGuard } from './edges/gateway/flood-guard.js';
import { FreeDesk } from './edges/gateway/free-desk.js';
import { GasDesk } from './edges/gateway/gas-desk.js';
import { InvoiceDesk } from './edges/gateway/invoice-desk.js';
import { UpstreamLanes } from './edges/gateway/lanes/upstream-lanes.js';
import { LimitDesk } from './edges/gateway/limit-desk.js';
import { OfferDesk } from './edges/gateway/offer-desk.js';
import { publicAddresses } from './edges/gateway/public-address.js';
import { RateLimits } from './edges/gateway/rate-limits.js';
import { KeysController } from './edges/gateway/receipts/keys.controller.js';
import { ReceiptsController } from './edges/gateway/receipts/receipts.controller.js';
import { ReplayDesk } from './edges/gateway/replay.js';
import { ReservedController } from './edges/gateway/reserved.controller.js';
import { tokenFor } from './edges/gateway/token-for.js';
import { TurnDesk } from './edges/gateway/turns.js';
import { UnpaidDesk } from './edges/gateway/unpaid-desk.js';
import { UpstreamClient } from './edges/gateway/upstream/upstream-client.js';
import { Draining } from './edges/health/draining.js';
import { HealthController } from './edges/health/health.controller.js';
import { LaneMetrics } from './edges/health/lane-metrics.js';
import { ProblemFilter } from './edges/problem.js';
import { upcast } from './event-catalogue.js';
import { type Runtime, RuntimeModule } from './runtime.js';

const RUNTIME = Symbol('Runtime');

/** Puts the data plane together, and starts and stops its parts in order. */
@Injectable()
export class Gateway {
  readonly dataPlane: DataPlane;
  readonly facilitator: FacilitatorDesk;
  readonly tenantWithKey: TenantWithKey;
  private readonly catalogue: CatalogueFeed;
  private readonly limits: LimitsFeed;
  private readonly payers: Payers;
  private readonly lease: GatewayLease;
  private readonly watch: OutcomeWatch;
  private readonly customersTail: LogTail;
  private readonly standings: StandingBook;
  private readonly screening: Screening;
  private readonly allowances: AllowanceBook;
  private readonly ownTariffs: CustomerTariffBook;
  private readonly accounts: AccountBook;
  private readonly usage: UsageBook;
  private readonly free: FreeDesk;
  private readonly commits: CommitDesk;
  private readonly upstreams = new UpstreamClient();
  private readonly rates: RateLimits;
  private readonly doubtful: DoubtfulNonces;
  private readonly gas: GasDesk;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(CommandBus) bus: CommandBus,
    @Inject(ReceiptSigner) signer: ReceiptSigner,
    @Inject(GasWatches) gas: GasWatches,
  ) {
    const { catalogueTail, chains, clock, config, log, pool, secrets, store, tail, tokens } = runtime;
    this.catalogue = new CatalogueFeed(pool, catalogueTail, log);
    this.limits = new LimitsFeed(pool, catalogueTail, log);
    this.payers = new Payers(chains, clock, (network, error) =>
      log.warn({ network, err: error.message }, 'payers could not be refreshed'),
    );
    this.doubtful = new DoubtfulNonces({ chains: settlementChainsOf(runtime), pool, clock, log });
    this.gas = new GasDesk({ gas, isSettledByOthers: (tenant) => isSettledByOthers(pool, tenant), log });
    this.lease = new GatewayLease(`gw_${randomUUID()}`, pool, bus, log);
    this.watch = new OutcomeWatch(store, tail, log);
    this.customersTail = new LogTail(config.databaseUrl, log, 'tollbook_customers');
    this.standings = new StandingBook(pool, this.customersTail, log);
    this.screening = screeningOf(config, config.screening.freshMs, clock, log);
    this.allowances = new AllowanceBook(pool, this.customersTail, log);
    this.ownTariffs = new CustomerTariffBook(pool, this.customersTail, log);
    this.accounts = new AccountBook(pool, this.customersTail, log);
    this.usage = new UsageBook(pool, tail, clock, log);
    const quotes = new QuoteLock([{ id: 'q1', secret: secrets.quoteSecret }]);
    const answers = new AnswerStore(pool, secrets.answerKey);
    const gateway = this.lease.id;
    const limits = new LimitDesk(() => this.limits.current, pool, clock);
    const deliveries = new DeliveryDesk({ upstreams: this.upstreams, clock, log });
    this.rates = new RateLimits(config.redisUrl, log);
    const laneMetrics = new LaneMetrics(runtime.metrics);
    const lanes = new UpstreamLanes(laneMetrics);
    laneMetrics.show(lanes);
    const { allowances, rates, screening } = this;
    const desks = { rates, lanes, limits, deliveries };
    this.free = new FreeDesk({ allowances, screening, ...desks, bus, pool, gateway, clock, log });
    const circumstances: CircumstancesPort = {
      load: (route) => lanes.load(route),
      ownTariff: (payer, route) => this.ownTariffs.tariffOf(route.tenant, payer, route.id),
      usedBy: (tenant, payer, { id, tariff }) => {
        if (tariff.period === undefined) return 0n;
        const own = this.ownTariffs.routesOf(tenant, payer, id);
        const routes = routesCounted(this.catalogue.current, { tenant, tariff: id }, own);
        return this.usage.used(tenant, payer, routes, calendarPeriod(tariff.period, 'UTC', clock()).start);
      },
    };
    const admissions = new AdmissionDesk(
      bus,
      store,
      this.payers,
      chains,
      this.lease,
      this.screening,
      limits,
      this.doubtful,
      this.gas,
    );
    this.facilitator = new FacilitatorDesk({
      admissions,
      payers: this.payers,
      standings: this.standings,
      limits,
      watch: this.watch,
      bus,
      tokenOf: (tenant) => tokenFor(tokens, tenant),
      isServed: (network) => tokens.on(network) !== undefined,
      gateway,
      clock,
    });
    this.tenantWithKey = async (key) => {
      const tenant = await tenantWithKey(pool, 'facilitator', secrets.customerKeySecret, key);
      return tenant === undefined ? undefined : this.catalogue.current.tenantOf(tenant);
    };
    const addressOf = publicAddresses(config.publicUrl);
    const unpaid = new UnpaidDesk({
      callers: new CallerDesk({
        keys: new KeyFinder(pool, secrets.customerKeySecret, clock, log),
        addressOf,
        clock,
      }),
      standings: this.standings,
      free: this.free,
      limits,
      offers: new OfferDesk(quotes, new OfferSigner(signer), circumstances, this.accounts),
      catalogue: this.catalogue,
      circumstances,
      clock,
    });
    const guard = new FloodGuard(this.payers, trustedProxies(config.trustedProxies));
    this.commits = new CommitDesk({
      ...{ accounts: this.accounts, catalogue: this.catalogue, quotes, guard, ...desks, unpaid },
      ...{ answers, answerKey: secrets.answerKey, bus, store, pool, gateway, clock, log },
    });
    this.dataPlane = new DataPlane({
      catalogue: this.catalogue,
      quotes,
      standings: this.standings,
      accounts: this.accounts,
      guard,
      commits: this.commits,
      invoices: new InvoiceDesk(pool, store, this.accounts),
      rates: this.rates,
      lanes,
      turns: new TurnDesk(this.rates, lanes, admissions),
      admissions,
      deliveries,
      paid: { bus, signer, answerKey: secrets.answerKey, gateway },
      limits,
      unpaid,
      replays: new ReplayDesk(answers, this.watch, signer, clock),
      bus,
      tokenOf: (tenant) => tokenFor(tokens, tenant),
      gateway,
      addressOf,
      clock,
      log,
    });
  }

  async start(): Promise<void> {
    await this.doubtful.start();
    await this.catalogue.start();
    await this.limits.start();
    await this.customersTail.start();
    await this.standings.start();
    await this.screening.start();
    await this.allowances.start();
    await this.ownTariffs.start();
    await this.accounts.start();
    await this.usage.start();
    await this.lease.start();
    this.free.start();
    this.commits.start();
    this.payers.start();
    this.gas.start();
  }

  /** Finishes what is running, within `timeoutMs`; then the lease is given up. */
  async stop(timeoutMs: number): Promise<void> {
    await this.dataPlane.drain(timeoutMs);
    await this.upstreams.close();
    this.payers.stop();
    this.rates.stop();
    await Promise.all([
      this.doubtful.stop(),
      this.gas.stop(),
      this.watch.stop(),
      this.catalogue.stop(),
      this.limits.stop(),
      this.standings.stop(),
      this.allowances.stop(),
      this.ownTariffs.stop(),
      this.accounts.stop(),
      this.usage.stop(),
      this.free.stop(),
      this.commits.stop(),
      this.screening.stop(),
      this.lease.stop(),
    ]);
    await this.customersTail.stop();
    this.runtime.log.info('gateway drained');
  }
}

function settlementChainsOf({ chains, secrets }: Runtime): readonly SettlementChain[] {
  return [...chains.values()].map((chain) => settlementChain(chain, secrets.settlerKeys));
}

/** The data plane's process: priced routes through one catch-all, receipts, keys and health. */
@Module({})
export class GatewayModule {
  static of(runtime: Runtime, draining: Draining): DynamicModule {
    const { clock, config, log, secrets } = runtime;
    return {
      module: GatewayModule,
      imports: [RuntimeModule.of(runtime), PaymentsModule, CardsModule.of(secrets.cardKey)],
      controllers: [HealthController, ReceiptsController, KeysController, FacilitatorController, ReservedController],
      providers: [
        wayToPayHandler,
        { provide: RUNTIME, useValue: runtime },
        { provide: Draining, useValue: draining },
        { provide: GasWatches, useFactory: () => new GasWatches(settlementChainsOf(runtime), clock, log) },
        { provide: ReceiptSigner, useFactory: () => new ReceiptSigner(config.publicUrl, [secrets.receiptKey]) },
        {
          provide: ReceiptDesk,
          useFactory: (signer: ReceiptSigner) => new ReceiptDesk(runtime.pool, signer, upcast),
          inject: [ReceiptSigner],
        },
        { provide: APP_FILTER, useClass: ProblemFilter },
        Gateway,
        { provide: FacilitatorDesk, useFactory: (gateway: Gateway) => gateway.facilitator, inject: [Gateway] },
        { provide: TENANT_WITH_KEY, useFactory: (gateway: Gateway) => gateway.tenantWithKey, inject: [Gateway] },
        { provide: SETTLERS, useFactory: () => settlementChainsOf(runtime)[0]!.settlers },
      ],
    };
  }
}
