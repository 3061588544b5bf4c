/** A settlement worker that can be killed: `worker-process.ts <database> <redis> <rpc> <settler key> [<confirmMs>]`; says `ready`. */
import { createChainClient } from '../../src/base/chain/chain-client.js';
import { loadToken } from '../../src/base/chain/tokens.js';
import { USDC_ADDRESS } from '../../src/base/embedded/usdc.js';
import type { Hex } from '../../src/base/shared/hex.js';
import { NETWORK } from '../chain/support.js';
import { startWorker } from './support.js';

const args = process.argv.slice(2) as [string, string, string, Hex, string?];
const [databaseUrl, redisUrl, rpcUrl, settlerKey, confirmMs] = args;
const client = createChainClient({ rpcUrl });
const token = await loadToken(client, NETWORK, USDC_ADDRESS);
await startWorker(
  { databaseUrl, redisUrl },
  { client, token, settlerKey },
  { confirmMs: confirmMs ? Number(confirmMs) : undefined },
);
console.log('ready');
