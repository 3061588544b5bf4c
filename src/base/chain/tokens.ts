import { type Address, chainIdOf, type Network } from '../shared/hex.js';
import type { Token } from './chain.js';
import { asked, type ChainClient } from './chain-client.js';
import { domainSeparator } from './eip3009.js';
import { tokenAbi } from './token-abi.js';
import { hasCode } from './token-calls.js';

/**
 * Reads a token's EIP-712 domain and decimals from the chain, and checks that our digests are the token's own.
 * Throws for an address without code (a transfer there would "succeed" and move nothing) and for tokens whose
 * domain differs from ours; ChainUnavailable if the node cannot be asked.
 */
export async function loadToken(client: ChainClient, network: Network, address: Address): Promise<Token> {
  if (!(await asked('code of the token', hasCode(client, address)))) {
    throw new Error(`there is no contract at ${address} on ${network}`);
  }
  const contract = { address, abi: tokenAbi };
  const [name, version, decimals, separator] = await asked(
    `token ${address}`,
    Promise.all([
      client.readContract({ ...contract, functionName: 'name' }),
      client.readContract({ ...contract, functionName: 'version' }),
      client.readContract({ ...contract, functionName: 'decimals' }),
      client.readContract({ ...contract, functionName: 'DOMAIN_SEPARATOR' }),
    ]),
  );
  const token: Token = { network, address, name, version, decimals };
  if (separator !== `0x${domainSeparator(token).toString('hex')}`) {
    throw new Error(
      `${address} signs for another domain than "${name}" version "${version}" on chain ${chainIdOf(network)}`,
    );
  }
  return token;
}
