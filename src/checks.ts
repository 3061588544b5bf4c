import type { ChainClient } from './base/chain/chain-client.js';
import type { Network } from './base/shared/hex.js';
import type { ReceiptSigner } from './domains/receipts/receipt-signer.js';
import { catalogueCheck } from './domains/reports/checks/catalogue.check.js';
import { chainCheck } from './domains/reports/checks/chain.check.js';
import type { Check } from './domains/reports/checks/check.js';
import { commitmentsCheck } from './domains/reports/checks/commitments.check.js';
import { gasCheck } from './domains/reports/checks/gas.check.js';
import { holdsCheck } from './domains/reports/checks/holds.check.js';
import { invoicesCheck } from './domains/reports/checks/invoices.check.js';
import { ledgerCheck } from './domains/reports/checks/ledger.check.js';
import { logCheck } from './domains/reports/checks/log.check.js';
import { onEachNetwork } from './domains/reports/checks/on-each-network.js';
import { projectionsCheck } from './domains/reports/checks/projections.check.js';
import { receiptsCheck } from './domains/reports/checks/receipts.check.js';
import { sealsCheck } from './domains/reports/checks/seals.check.js';
import { shapesCheck } from './domains/reports/checks/shapes.check.js';
import { usageCheck } from './domains/reports/checks/usage.check.js';
import type { CheckName } from './edges/cli/verify-options.js';
import { checkShape } from './event-catalogue.js';
import { projections } from './projections.js';

export interface CheckParts {
  readonly signer: ReceiptSigner;
  /** How the chain of each network is asked, when a check of the chain runs. */
  readonly chains: ReadonlyMap<Network, () => Promise<ChainClient>>;
  readonly witnessPath: string;
}

/** Every check of the book by its name. */
export function checkMakers({ chains, signer, witnessPath }: CheckParts): Record<CheckName, () => Check> {
  const projection = (named: string) => projections.find(({ name }) => name === named)!;
  const ledger = projection('ledger');
  const networks = [...chains.keys()];
  const elsewhereThan = (network: Network) => networks.filter((one) => one !== network);
  return {
    log: () => logCheck,
    shapes: () => shapesCheck(checkShape),
    seals: () => sealsCheck(signer.jwks(), witnessPath),
    catalogue: () => catalogueCheck,
    usage: () => usageCheck,
    commitments: () => commitmentsCheck,
    invoices: () => invoicesCheck,
    ledger: () => ledgerCheck(ledger),
    holds: () => holdsCheck(ledger),
    projections: () => projectionsCheck(projections),
    receipts: () => receiptsCheck(projection('payments'), signer),
    chain: () =>
      onEachNetwork('chain', networks, (network) =>
        chainCheck({ chain: chains.get(network)!, network, elsewhere: elsewhereThan(network), ledger }),
      ),
    gas: () => onEachNetwork('gas', networks, (network) => gasCheck({ chain: chains.get(network)!, network })),
  };
}
