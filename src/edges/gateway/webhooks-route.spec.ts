import { fastify } from 'fastify';
import { webhooksRoute } from './webhooks-route.js';

/** What is answered to an event of a payment that the processor knows as `pi_1`, when our rows name this charge. */
async function answered(id: string | null): Promise<[number, string[]]> {
  const heard: string[] = [];
  const server = fastify();
  await server.register(
    webhooksRoute({
      accounts: { webhookOf: async () => ({ read: async () => ({ processorId: 'pi_1' }) }) },
      desk: {
        heard: async (_tenant: string, charge: string) => {
          heard.push(charge);
          return 'done' as const;
        },
        setup: async () => 'absent' as const,
      },
      pool: { query: async () => ({ rows: [{ id }] }) } as never,
      clock: () => 0,
      onError: () => undefined,
    }),
  );
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  const { status } = await fetch(`${address}/-/webhooks/stripe/demo`, { method: 'POST', body: '{}' });
  await server.close();
  return [status, heard];
}

it.each<[string, string | null, number, string[]]>([
  ['is looked up, if it is of one of ours', 'chg_1', 200, ['chg_1']],
  ['is to be sent again while it may be of a charge under way', 'unknown', 502, []],
  ['is taken and changes nothing, if it is of none of ours', null, 200, []],
])('an event %s', async (_what, id, status, heard) => {
  expect(await answered(id)).toEqual([status, heard]);
});
