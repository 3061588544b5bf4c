/** A sealer that can be killed: `sealer-process.ts <database> <folder of the witness>`; says `sealing`, and seals without a pause. */
import { setTimeout } from 'node:timers/promises';
import { Sealer } from '../../src/base/event-store/seals/sealer.js';
import { openLog } from './support.js';

const [databaseUrl, folder] = process.argv.slice(2) as [string, string];
const sealer = new Sealer((await openLog(databaseUrl, folder)).parts);
console.log('sealing');
for (;;) {
  await sealer.step();
  await setTimeout(1);
}
