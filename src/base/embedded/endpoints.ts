import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChainSettings, plainChain } from '../platform/chain-settings.js';
import { readJson, writePrivateJson } from '../platform/private-file.js';

/** Where everything of one running Tollbook answers; URLs. Holds passwords and the admin key. */
export interface Endpoints {
  readonly gateway: string;
  readonly control: string;
  readonly postgres: string;
  readonly redis: string;
  /** Nodes of the first chain, the preferred one first, with commas between them. */
  readonly chain: string;
  /** Not in files of earlier versions. */
  readonly chains?: readonly Pick<ChainSettings, 'network' | 'rpcUrls'>[];
  readonly adminKey: string;
}

/** For the commands that talk to a running Tollbook. Call when everything answers. */
export function writeEndpoints(dataDir: string, endpoints: Endpoints): Promise<void> {
  return writePrivateJson(endpointsFile(dataDir), endpoints);
}

/** As far as a command needs to know them; none if the file does not say. */
export function chainsAt({ chains = [] }: Pick<Endpoints, 'chains'>): readonly ChainSettings[] {
  return chains.map(({ network, rpcUrls }) => plainChain(network, rpcUrls));
}

/** `undefined`: no Tollbook runs with this data folder. One that was killed leaves its endpoints behind. */
export function readEndpoints(dataDir: string): Promise<Endpoints | undefined> {
  return readJson<Endpoints>(endpointsFile(dataDir));
}

export function removeEndpoints(dataDir: string): Promise<void> {
  return rm(endpointsFile(dataDir), { force: true });
}

function endpointsFile(dataDir: string): string {
  return join(dataDir, 'endpoints.json');
}
