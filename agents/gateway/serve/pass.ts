import type { ChatChunk } from "@clawcompute/lib/protocol";
import { type Answer, producesToken, readAnswer } from "../answer.ts";
import type { ChatStream } from "../providerClient.ts";
import type { AnswerSource, ChatDeps, ChatJob } from "./chatJob.ts";

/** Holds everything back until the first word, so that until then somebody else can still answer. */
export async function pass(
  { clock, limits }: Pick<ChatDeps, "clock" | "limits">,
  { outlet }: Pick<ChatJob, "outlet">,
  source: AnswerSource,
  stream: ChatStream,
  sentAtMs: number,
  signal: AbortSignal,
  onBegin: () => void,
): Promise<Answer> {
  const held: [string, ChatChunk][] = [];
  let begun = false;
  return readAnswer(stream, {
    clock,
    sentAtMs,
    firstTokenMs: Math.max(1, limits.firstTokenMs - (clock.now() - sentAtMs)),
    stallMs: limits.stallMs,
    signal,
    onText: () => {},
    onChunk: async (data, chunk) => {
      if (chunk.error !== undefined && chunk.error !== null) return;
      if (begun) return outlet.chunk(data, chunk);
      held.push([data, chunk]);
      if (!chunk.choices?.some(producesToken)) return;
      begun = true;
      await outlet.begin(source);
      onBegin();
      for (const [heldData, heldChunk] of held) await outlet.chunk(heldData, heldChunk);
    },
  });
}
