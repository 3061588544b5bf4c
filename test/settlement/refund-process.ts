/**
 * A worker that kills itself at a call to the chain: `refund-process.ts <database> <redis> <rpc> <settler key> <refund key> <point>`.
 * Points are `before sign`, `after broadcast` and so on; `after transfer` is when it first reads that an authorization was used.
 */
import type { SettlementChain } from '../../src/base/chain/chain.js';
import { createChainClient } from '../../src/base/chain/chain-client.js';
import { loadToken } from '../../src/base/chain/tokens.js';
import { USDC_ADDRESS } from '../../src/base/embedded/usdc.js';
import type { Hex } from '../../src/base/shared/hex.js';
import { NETWORK } from '../chain/support.js';
import { startWorker } from './support.js';

const args = process.argv.slice(2) as [string, string, string, Hex, Hex, string];
const [databaseUrl, redisUrl, rpcUrl, settlerKey, refundKey, point] = args;

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}

function wrap(real: SettlementChain): SettlementChain {
  return new Proxy(real, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        if (point === `before ${String(name)}`) await die();
        const result = await value.apply(target, args);
        const used = name === 'authorizationOutcome' && result.kind === 'transferred';
        if (point === `after ${String(name)}` || (used && point === 'after transfer')) await die();
        return result;
      };
    },
  });
}

const client = createChainClient({ rpcUrl });
const token = await loadToken(client, NETWORK, USDC_ADDRESS);
await startWorker({ databaseUrl, redisUrl }, { client, token, settlerKey }, { refundKeys: [refundKey], wrap });
