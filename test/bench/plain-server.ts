/** The ceiling: Fastify answering a small JSON object, nothing else. */
import { fastify } from 'fastify';

const app = fastify();
app.get('/demo/weather', async () => ({ city: 'Lisbon', celsius: 21, sky: 'clear' }));
process.send?.({ url: await app.listen({ port: 0, host: '127.0.0.1' }) });
