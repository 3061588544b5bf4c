import { admin } from './admin.js';
import type { App } from './app.js';
import { eventually } from './eventually.js';
import { send } from './http.js';

const NETWORK = 'eip155:84532';
const SHOWN_MS = 20_000;

/** An operator finds a payment of which nobody asks for what it bought: in the list, by its age and chain, and in the metrics. */
export async function expectFoundAsPaid(app: App, id: string): Promise<void> {
  const [soon, earlier] = [60, -60].map((seconds) => new Date(Date.now() + 1000 * seconds).toISOString());
  await eventually(async () => (await paid(app, { network: NETWORK, until: soon! })).includes(id), SHOWN_MS);
  expect(await paid(app, { network: NETWORK, until: earlier! })).toEqual([]);
  expect(await paid(app, { network: 'eip155:1', until: soon! })).toEqual([]);
  const { body: metrics } = await send({ url: `${app.control}/metrics` });
  const labels = String.raw`\{network="${NETWORK}",asset="0x[0-9a-f]{40}",state="paid"\}`;
  expect(metrics).toMatch(new RegExp(`^tollbook_undelivered_payments${labels} [1-9]`, 'm'));
  expect(metrics).toMatch(new RegExp(`^tollbook_undelivered_oldest_age_seconds${labels} \\d`, 'm'));
}

async function paid(app: App, filter: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const { body } = await admin(app, `/payments?${new URLSearchParams({ state: 'paid', ...filter })}`);
  return (JSON.parse(body) as { data: { id: string }[] }).data.map(({ id }) => id);
}
