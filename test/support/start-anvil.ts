import { startAnvil } from '../../src/base/embedded/anvil.js';

/** Starts a chain and stays: `start-anvil.ts STATE_FILE PORT`. For tests that kill the parent. */
const [stateFile, port] = process.argv.slice(2);
const log = () => undefined;
const { rpcUrl } = await startAnvil({ stateFile: stateFile!, port: Number(port), chainId: 84_532, log });
console.log(rpcUrl);
setInterval(() => undefined, 60_000);
