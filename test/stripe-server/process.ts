/** The processor as a process of its own, whose book outlives the workers that tests kill: `process.ts` prints its address. */
import type { AddressInfo } from 'node:net';
import { StripeServer } from './server.js';

const server = await new StripeServer().listen(0);
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

// It ends with who started it.
process.stdin.resume().once('end', () => process.exit());
