/** Bytes of one answer; logs of a wide range are the largest, and nodes refuse before that. */
const MOST_BYTES = 10_485_760;

/** The node answered more than is read of it. */
export class AnswerTooLarge extends Error {}

interface Question {
  readonly id: unknown;
}

/**
 * `fetch` for JSON-RPC that lets through only answers to what was asked: one for each id and no other, with a result or an
 * error in it. The client puts a batch together by sorting it, so an answer that is missing, doubled or not ours would
 * otherwise be taken for that to another question. Refusals by HTTP status, or as a whole, pass as they are.
 */
export async function rpcFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  const { headers, ok, status, statusText } = response;
  const text = await bounded(response);
  if (ok) mustAnswer(JSON.parse(String(init?.body)), JSON.parse(text));
  return new Response(text, { headers: { 'content-type': headers.get('content-type') ?? '' }, status, statusText });
}

function mustAnswer(asked: Question | readonly Question[], answered: unknown): void {
  const answers = [answered].flat() as unknown[];
  // A node that refuses a batch as a whole says so once.
  if (answers.length === 1 && kindOf(answers[0]) === 'error') return;
  const ids = new Set([asked].flat().map(({ id }) => id));
  for (const answer of answers) {
    if (kindOf(answer) === undefined || !ids.delete((answer as Question).id)) {
      throw new Error('the node answers what was not asked');
    }
  }
  if (ids.size > 0) throw new Error('the node does not answer all that was asked');
}

function kindOf(answer: unknown): 'result' | 'error' | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  if ('error' in answer && answer.error) return 'error';
  return 'result' in answer ? 'result' : undefined;
}

async function bounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new AnswerTooLarge(`the node's answer has more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
