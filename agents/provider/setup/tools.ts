import { execFile } from "node:child_process";

/** What detection may touch: programs on this machine and HTTP on this machine. */
export interface SetupTools {
  /** What the program printed; undefined when there is no such program or it failed. */
  run(program: string, args: readonly string[]): Promise<string | undefined>;
  /** The JSON that a server answers with status 200; undefined for anything else. */
  get(url: string): Promise<unknown>;
}

const RUN_MS = 10_000;
const GET_MS = 2_000;
const MAX_OUTPUT = 1_048_576;

export function createSetupTools(env: Readonly<Record<string, string | undefined>>): SetupTools {
  return {
    run: (program, args) =>
      new Promise((resolve) => {
        // Programs get the search path and nothing else of ours: keys in the environment are not their business.
        const own = { PATH: env.PATH, HOME: env.HOME, DOCKER_HOST: env.DOCKER_HOST, OLLAMA_HOST: env.OLLAMA_HOST };
        execFile(program, [...args], { timeout: RUN_MS, maxBuffer: MAX_OUTPUT, env: own }, (error, stdout) =>
          resolve(error ? undefined : stdout),
        );
      }),
    get: async (url) => {
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(GET_MS), redirect: "error" });
        const text = response.ok ? await response.text() : "";
        return text.length > 0 && text.length <= MAX_OUTPUT ? JSON.parse(text) : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
