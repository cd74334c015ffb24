/** What a person sees of the start: one line for each part, with the time it took. */
export interface Report {
  line(text: string): void;
  /** Runs a step, says every few seconds that it goes on, and closes with the line that `work` resolves to. */
  step(name: string, doing: string, work: () => Promise<string>): Promise<void>;
}

const BEAT_MS = 5000;

export function createReport(write: (text: string) => void): Report {
  const started = performance.now();
  const seconds = (start: number) => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const row = (name: string, text: string, time: string) => write(`  ${name.padEnd(11)} ${text.padEnd(72)} ${time.padStart(7)}\n`);
  const pending = new Map<string, string>();
  let beat: NodeJS.Timeout | undefined;
  const tellPending = () => row("…", [...pending].map(([name, doing]) => `${name}: ${doing}`).join(", "), seconds(started));
  return {
    line: (text) => write(`${text}\n`),
    step: async (name, doing, work) => {
      const start = performance.now();
      pending.set(name, doing);
      beat ??= setInterval(tellPending, BEAT_MS);
      try {
        const outcome = await work();
        row(name, outcome, seconds(start));
      } finally {
        pending.delete(name);
        if (pending.size === 0) {
          clearInterval(beat);
          beat = undefined;
        }
      }
    },
  };
}
