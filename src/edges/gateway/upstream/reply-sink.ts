import type { ServerResponse } from 'node:http';
import type { AnswerSink } from './buyer.js';

/** A Node reply whose head is already written. Each piece is flushed at once, which is what server-sent events need. */
export function replySink(reply: ServerResponse): AnswerSink {
  return {
    write(chunk) {
      if (reply.destroyed) throw new Error('the connection is closed');
      if (!reply.write(chunk)) return drained(reply);
    },
    onGone(listener) {
      if (reply.destroyed) listener();
      else reply.once('close', listener);
    },
    cutOff() {
      reply.destroy();
    },
  };
}

function drained(reply: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const onDrain = (): void => {
      reply.off('close', onClose);
      resolve();
    };
    const onClose = (): void => {
      reply.off('drain', onDrain);
      reject(new Error('the connection is closed'));
    };
    reply.once('drain', onDrain);
    reply.once('close', onClose);
  });
}
