import { z } from 'zod';
import { address } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { CustomerTariffAssigned, CustomerTariffRemoved } from './customer-tariff.js';

const stream = 'customer-tariff/{tenant}/{payer}/{route}';

const assigned = shapeOf<CustomerTariffAssigned>()({
  type: 'CustomerTariffAssigned',
  schema: 1,
  stream,
  when: 'A customer got a tariff of its own on a route.',
  data: z.strictObject({ payer: address, route: z.string(), tariff: z.string() }),
});

const removed = shapeOf<CustomerTariffRemoved>()({
  type: 'CustomerTariffRemoved',
  schema: 1,
  stream,
  when: "A customer pays the route's own tariff again.",
  data: z.strictObject({ payer: address, route: z.string() }),
});

export const customerTariffShapes: readonly EventShape[] = [assigned, removed];
