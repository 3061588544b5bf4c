import { Presets, SingleBar } from 'cli-progress';
import type { ProgressDisplay } from './run-checks.js';

/** A bar on a terminal, on stderr, so that the report stays clean; elsewhere nothing. */
export function progressDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  if (!stream.isTTY) return { begin: () => () => undefined, end: () => undefined };
  let bar: SingleBar | undefined;
  return {
    begin(name) {
      bar = new SingleBar(
        { stream, format: `${name.padEnd(12)} {bar} {percentage} % | {eta_formatted} left`, clearOnComplete: true },
        Presets.shades_classic,
      );
      const running = bar;
      running.start(1, 0);
      return (done, total) => running.update(total === 0 ? 0 : done / total);
    },
    end() {
      bar?.stop();
    },
  };
}
