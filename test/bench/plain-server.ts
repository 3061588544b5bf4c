/** The ceiling: Fastify answering a small JSON object, nothing else. */
import { fastify } from 'fastify';

const app = fastify();
process.once('disconnect', () => process.exit());
app.get('/demo/weather', async () => ({ place: 'Utrecht', celsius: 14.5, sky: 'broken clouds' }));
process.send?.({ url: await app.listen({ port: 0, host: '127.0.0.1' }) });
