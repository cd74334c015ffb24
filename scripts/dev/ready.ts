import { AppError } from "@clawcompute/lib/errors";
import { type Child, logTail } from "./children.ts";

const EVERY_MS = 100;

/** Resolves as soon as `url` answers with success. Throws when the part ends first or takes longer than `withinMs`, with the end of its log. */
export async function untilReady(child: Child, url: string, signal: AbortSignal, withinMs = 120_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  let ended: string | undefined;
  child.exited.then((how) => {
    ended = how;
  });
  let last = "no answer";
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    if (ended !== undefined) throw failure(child, `ended while it started (${ended})`);
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
      if (response.ok) return void (await response.body?.cancel());
      last = `${response.status} ${(await response.text()).slice(0, 300)}`;
    } catch {
      last = "no answer";
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  throw failure(child, `was not ready after ${Math.round(withinMs / 1000)} s (${last})`);
}

export function failure({ name, logPath }: Pick<Child, "name" | "logPath">, reason: string): AppError {
  return new AppError("INTERNAL", `${name} ${reason}.`, { hint: `The end of ${logPath}:\n${logTail(logPath)}` });
}
