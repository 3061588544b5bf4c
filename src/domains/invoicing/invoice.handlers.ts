import { Inject, Injectable, type Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import type { PoolClient } from 'pg';
import { VersionConflict } from '../../base/event-store/event.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { WriteRefused } from '../../base/event-store/unit-of-work.js';
import { Problem } from '../../base/shared/problem.js';
import { decideMatch, decideUndo, MatchBankLine, UndoBankLine } from './bank/bank-line.decide.js';
import { storeMatch } from './bank/bank-matches.js';
import { CollectByCard, decideCollect } from './card-collection.decide.js';
import { decideCreditNote, IssueCreditNote } from './credit-note.decide.js';
import { DunInvoice, decideDun } from './dunning.decide.js';
import {
  DraftInvoice,
  decideDraft,
  decideFinalize,
  decideVoid,
  FinalizeInvoice,
  type InvoiceCommand,
  type InvoiceDecision,
  VoidInvoice,
} from './invoice.decide.js';
import { foldInvoice, type Invoice } from './invoice.evolve.js';
import { invoiceStream } from './invoice.js';
import {
  ApplyPayment,
  decideApply,
  decideReverse,
  decideWriteOff,
  ReversePayment,
  WriteOffInvoice,
} from './money.decide.js';

/** A lost race is tried again at once; somebody has won each of them. */
const ATTEMPTS_MAX = 50;

/** Loads the invoice, lets the pure rule decide, appends at the version it decided on, with what it changes of the credit. */
export function invoiceHandler<C extends InvoiceCommand>(
  command: Type<C>,
  decide: (invoice: Invoice | undefined, command: C) => InvoiceDecision,
): Type<{ execute(message: C): Promise<boolean> }> {
  @CommandHandler(command)
  @Injectable()
  class Handler {
    constructor(@Inject(EventStore) private readonly store: EventStore) {}

    /** Whether it changed anything. */
    async execute(message: C): Promise<boolean> {
      const { customer, sequence, tenant } = message;
      const stream = invoiceStream(tenant, customer, sequence);
      for (let attempt = 1; ; attempt++) {
        const events = await this.store.readStream(stream);
        const { holds, match, ...decision } = decide(foldInvoice(events), message);
        if (decision.events.length === 0) return false;
        try {
          const prepare = match && ((client: PoolClient) => storeMatch(client, match));
          const place = { stream, tenant, expectedVersion: events.length };
          await this.store.append({ ...place, holds, ...(prepare && { prepare }), decide: () => decision });
          return true;
        } catch (error) {
          if (error instanceof WriteRefused) throw new Problem('bank_line_taken');
          if (!(error instanceof VersionConflict) || attempt === ATTEMPTS_MAX) throw error;
        }
      }
    }
  }
  Object.defineProperty(Handler, 'name', { value: `${command.name}Handler` });
  return Handler;
}

export const invoiceHandlers = [
  invoiceHandler(DraftInvoice, decideDraft),
  invoiceHandler(FinalizeInvoice, decideFinalize),
  invoiceHandler(VoidInvoice, decideVoid),
  invoiceHandler(DunInvoice, decideDun),
  invoiceHandler(ApplyPayment, decideApply),
  invoiceHandler(ReversePayment, decideReverse),
  invoiceHandler(CollectByCard, decideCollect),
  invoiceHandler(WriteOffInvoice, decideWriteOff),
  invoiceHandler(IssueCreditNote, decideCreditNote),
  invoiceHandler(MatchBankLine, decideMatch),
  invoiceHandler(UndoBankLine, decideUndo),
];
