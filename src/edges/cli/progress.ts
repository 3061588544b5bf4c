import { SingleBar } from 'cli-progress';

/** A progress bar on a terminal (stderr); nothing where there is no terminal. */
export interface Progress {
  /** Counts in the same unit; the rate and the time left follow from them. */
  update(done: number, total: number): void;
  stop(): void;
}

/** @param unit what is counted, `events`; left out where it is nothing that anybody would want to read */
export function startProgress(label: string, unit?: string): Progress {
  const startedAt = performance.now();
  const counts = unit === undefined ? '' : `{value}/{total} ${unit} | {rate}/s | `;
  const bar = new SingleBar({
    format: `${label.padEnd(12)} {bar} {percentage} % | ${counts}{eta_formatted} left`,
    stream: process.stderr,
    noTTYOutput: false,
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 50,
  });
  bar.start(1, 0, { rate: 0 });
  return {
    update(done, total) {
      const seconds = (performance.now() - startedAt) / 1000;
      bar.setTotal(total);
      bar.update(done, { rate: Math.round(done / Math.max(seconds, 0.001)).toLocaleString('en-US') });
    },
    stop: () => bar.stop(),
  };
}
