import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Registry } from 'prom-client';
import { settlementChain } from './base/chain/chains.js';
import { keySigner } from './base/chain/signer.js';
import { CustomersModule } from './domains/customers/customers.module.js';
import { KeyDirectories } from './domains/customers/key-directory.js';
import { InvoicingModule } from './domains/invoicing/invoicing.module.js';
import { LimitsModule } from './domains/limits/limits.module.js';
import { MeteringModule } from './domains/metering/metering.module.js';
import { keptAnswersOf } from './domains/payments/kept-answers.js';
import { PaymentsModule } from './domains/payments/payments.module.js';
import { PricingModule } from './domains/pricing/pricing.module.js';
import { ReceiptSigner } from './domains/receipts/receipt-signer.js';
import { CardsModule } from './domains/settlement/cards/cards.module.js';
import { FacilitatorsModule } from './domains/settlement/facilitators/facilitators.module.js';
import { GasWatches } from './domains/settlement/gas-watches.js';
import { RefundWallets } from './domains/settlement/refunds/refund-wallets.js';
import { AccountPartsController } from './edges/admin/account-parts.controller.js';
import { AccountsController } from './edges/admin/accounts.controller.js';
import { AdminKeyGuard } from './edges/admin/admin-key.guard.js';
import { AllowancesController, CustomerAllowanceController } from './edges/admin/allowances.controller.js';
import { BankController } from './edges/admin/bank.controller.js';
import { CardChargesController } from './edges/admin/card-charges.controller.js';
import { CardProcessorController } from './edges/admin/card-processor.controller.js';
import { CommitmentsController } from './edges/admin/commitments.controller.js';
import { CreditNotesController } from './edges/admin/credit-notes.controller.js';
import { CustomerAccountController } from './edges/admin/customer-account.controller.js';
import { CustomerKeysController } from './edges/admin/customer-keys.controller.js';
import { CustomerTariffsController } from './edges/admin/customer-tariffs.controller.js';
import { CustomersController } from './edges/admin/customers.controller.js';
import { DisputeEvidenceReader } from './edges/admin/dispute-evidence.js';
import { DisputesController } from './edges/admin/disputes.controller.js';
import { EventsController } from './edges/admin/events.controller.js';
import { FacilitatorsController } from './edges/admin/facilitators.controller.js';
import { Idempotency } from './edges/admin/idempotency.js';
import {
  CreditNoteDocumentsController,
  InvoiceDocumentsController,
} from './edges/admin/invoice-documents.controller.js';
import { InvoiceMoneyController } from './edges/admin/invoice-money.controller.js';
import { InvoiceReader } from './edges/admin/invoice-reader.js';
import { InvoicesController } from './edges/admin/invoices.controller.js';
import { InvoicingController } from './edges/admin/invoicing.controller.js';
import { KeyDirectoryController } from './edges/admin/key-directory.controller.js';
import { LedgerController } from './edges/admin/ledger.controller.js';
import { LimitsController } from './edges/admin/limits.controller.js';
import { MetersController } from './edges/admin/meters.controller.js';
import { PaymentsController } from './edges/admin/payments.controller.js';
import { ProbationController } from './edges/admin/probation.controller.js';
import { QuotesController } from './edges/admin/quotes.controller.js';
import { RefundsController } from './edges/admin/refunds.controller.js';
import { RoutesController } from './edges/admin/routes.controller.js';
import { SealsController } from './edges/admin/seals.controller.js';
import { SettlementsController } from './edges/admin/settlements.controller.js';
import { SimulationsController, UPCAST } from './edges/admin/simulations.controller.js';
import { ListsController, StandingsController } from './edges/admin/standings.controller.js';
import { TariffsController } from './edges/admin/tariffs.controller.js';
import { TenantChecks } from './edges/admin/tenant-checks.js';
import { FacilitatorKeysController, IngestionKeysController } from './edges/admin/tenant-keys.controller.js';
import { TenantsController } from './edges/admin/tenants.controller.js';
import { TokenOfTenant } from './edges/admin/token-of-tenant.js';
import { TransfersController } from './edges/admin/transfers.controller.js';
import { UsageController } from './edges/admin/usage.controller.js';
import { UsageEventsController } from './edges/admin/usage-events.controller.js';
import { Draining } from './edges/health/draining.js';
import { FacilitatorHealths } from './edges/health/facilitator-healths.js';
import { addFacilitatorMetrics } from './edges/health/facilitator-metrics.js';
import { HealthController } from './edges/health/health.controller.js';
import { MetricsController } from './edges/health/metrics.controller.js';
import { addMetrics } from './edges/health/metrics.js';
import { ProblemFilter } from './edges/problem.js';
import { upcast } from './event-catalogue.js';
import { type Runtime, RuntimeModule } from './runtime.js';

/** The control plane: what the provider's people and programs ask. */
@Module({})
export class ControlModule {
  static of(runtime: Runtime, draining: Draining): DynamicModule {
    const { chains, clock, log, secrets } = runtime;
    const settlements = [...chains.values()].map((chain) => settlementChain(chain, secrets.settlerKeys));
    return {
      module: ControlModule,
      imports: [
        RuntimeModule.of(runtime),
        PricingModule,
        PaymentsModule,
        LimitsModule,
        MeteringModule,
        InvoicingModule,
        FacilitatorsModule.of(secrets.facilitatorKey),
        CardsModule.of(secrets.cardKey),
        CustomersModule.of((tenant, payer) => keptAnswersOf(runtime.pool, tenant, payer)),
      ],
      controllers: [
        CustomersController,
        StandingsController,
        ProbationController,
        CustomerKeysController,
        CustomerAllowanceController,
        AllowancesController,
        AccountsController,
        AccountPartsController,
        KeyDirectoryController,
        CommitmentsController,
        CardProcessorController,
        CardChargesController,
        DisputesController,
        CustomerAccountController,
        CustomerTariffsController,
        ListsController,
        LedgerController,
        EventsController,
        LimitsController,
        MetersController,
        InvoicesController,
        InvoiceDocumentsController,
        CreditNotesController,
        BankController,
        CreditNoteDocumentsController,
        InvoiceMoneyController,
        InvoicingController,
        PaymentsController,
        QuotesController,
        SimulationsController,
        RefundsController,
        RoutesController,
        TariffsController,
        TenantsController,
        FacilitatorKeysController,
        IngestionKeysController,
        FacilitatorsController,
        SealsController,
        SettlementsController,
        TransfersController,
        UsageController,
        UsageEventsController,
        HealthController,
        MetricsController,
      ],
      providers: [
        AdminKeyGuard,
        { provide: UPCAST, useValue: upcast },
        Idempotency,
        TenantChecks,
        TokenOfTenant,
        InvoiceReader,
        DisputeEvidenceReader,
        { provide: ReceiptSigner, useValue: new ReceiptSigner(runtime.config.publicUrl, [secrets.receiptKey]) },
        { provide: KeyDirectories, useValue: new KeyDirectories() },
        FacilitatorHealths,
        { provide: RefundWallets, useValue: new RefundWallets(secrets.refundKeys.map(keySigner)) },
        { provide: Draining, useValue: draining },
        { provide: GasWatches, useFactory: () => new GasWatches(settlements, clock, log) },
        {
          provide: Registry,
          useFactory: (gas: GasWatches, healths: FacilitatorHealths, wallets: RefundWallets) => {
            addFacilitatorMetrics(runtime.metrics, healths, clock);
            return addMetrics(runtime.metrics, gas, { pool: runtime.pool, chains, tokens: runtime.tokens, wallets });
          },
          inject: [GasWatches, FacilitatorHealths, RefundWallets],
        },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
