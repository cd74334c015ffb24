/** Answers under way, so that whoever ends a stream or the process can end them and wait until they are accounted for. */
export interface Running {
  add(streamId: bigint, stop: () => void): RunningAnswer;
  /** Ends the answers of a stream, all or all but one, and waits for their receipts. */
  endAll(streamId: bigint, except?: RunningAnswer): Promise<void>;
  count(): number;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
}

export interface RunningAnswer {
  readonly stop: () => void;
  readonly done: Promise<void>;
  finish(): void;
}

export function createRunning(): Running {
  const answers = new Map<bigint, Set<RunningAnswer>>();
  const count = () => [...answers.values()].reduce((sum, set) => sum + set.size, 0);

  return {
    add: (streamId, stop) => {
      const own = answers.get(streamId) ?? new Set<RunningAnswer>();
      answers.set(streamId, own);
      let resolve = () => {};
      const done = new Promise<void>((settle) => {
        resolve = settle;
      });
      const answer: RunningAnswer = {
        stop,
        done,
        finish: () => {
          own.delete(answer);
          if (own.size === 0 && answers.get(streamId) === own) answers.delete(streamId);
          resolve();
        },
      };
      own.add(answer);
      return answer;
    },
    endAll: async (streamId, except) => {
      const others = [...(answers.get(streamId) ?? [])].filter((answer) => answer !== except);
      for (const other of others) other.stop();
      await Promise.all(others.map((other) => other.done));
    },
    count,
    idle: async () => {
      while (count() > 0) await Promise.all([...answers.values()].flatMap((set) => [...set].map((answer) => answer.done)));
    },
  };
}
