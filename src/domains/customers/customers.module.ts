import { type DynamicModule, Module } from '@nestjs/common';
import { accountHandlers } from './account.handlers.js';
import { allowanceHandlers } from './allowance.handlers.js';
import { DescribeCustomer, decideDescribe, decideErase, EraseCustomer } from './customer.decide.js';
import { customerKeyHandlers } from './customer-key.handlers.js';
import { customerTariffHandlers } from './customer-tariff.handlers.js';
import type { KeptContent } from './customers.ports.js';
import { handlerFor, KEPT_CONTENT } from './handler-for.js';
import { standingHandlers } from './standing-handlers.js';
import { tenantKeyHandlers } from './tenant-key.handlers.js';

/** Needs the runtime's parts and the command bus from a global module. */
@Module({})
export class CustomersModule {
  static of(kept: KeptContent): DynamicModule {
    return {
      module: CustomersModule,
      providers: [
        { provide: KEPT_CONTENT, useValue: kept },
        handlerFor(DescribeCustomer, decideDescribe),
        handlerFor(EraseCustomer, decideErase),
        ...standingHandlers,
        ...customerKeyHandlers,
        ...tenantKeyHandlers,
        ...accountHandlers,
        ...allowanceHandlers,
        ...customerTariffHandlers,
      ],
    };
  }
}
