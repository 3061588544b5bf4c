import type { ChainSettings } from '../platform/chain-settings.js';
import type { Hex, Network } from '../shared/hex.js';
import { ChainUnavailable } from './chain.js';
import { assertChainIds, type ChainClient, createFailoverClient } from './chain-client.js';
import { ViemSettlementChain } from './settlement-chain.js';
import { keySigner } from './signer.js';

/** One chain that this installation is paid on. */
export interface Chain {
  readonly settings: ChainSettings;
  readonly client: ChainClient;
}

/** By network, in the order of the configuration. A network that is not here is not served. */
export type Chains = ReadonlyMap<Network, Chain>;

/**
 * Connects to each chain. A node that serves another chain than it should ends the start, since the same addresses exist
 * on all of them. The nodes of one chain of several may all be away: the others are served meanwhile.
 *
 * @param onAway told of each such chain; its nodes are asked for their chain before they are used
 * @throws ChainUnavailable if there is one chain only and it is away
 */
export async function openChains(
  settings: readonly ChainSettings[],
  onAway: (network: Network, error: ChainUnavailable) => void,
): Promise<Chains> {
  const opened = await Promise.all(
    settings.map(async (one): Promise<[Network, Chain]> => {
      const { network, rpcUrls } = one;
      const away = await assertChainIds(network, rpcUrls).catch((error: Error) => {
        if (settings.length === 1 || !(error instanceof ChainUnavailable)) throw error;
        onAway(network, error);
        return true as const;
      });
      return [network, { settings: one, client: createFailoverClient(network, rpcUrls, {}, away ?? false) }];
    }),
  );
  return new Map(opened);
}

/** @throws ChainUnavailable for a network that is not served */
export function chainOf(chains: Chains, network: Network): Chain {
  const found = chains.get(network);
  if (found === undefined) throw new ChainUnavailable(`${network} is not served here`);
  return found;
}

/** The chain as settlement sees it; the settlers are the same on every chain. @param keys of the settlers */
export function settlementChain({ client, settings }: Chain, keys: readonly Hex[]): ViemSettlementChain {
  const { maxFeePerGas, network } = settings;
  return new ViemSettlementChain({ client, network, signers: keys.map(keySigner), maxFeePerGas });
}
