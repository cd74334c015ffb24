import { AppError } from "@clawcompute/lib/errors";
import type { LocalPlace } from "../local/localEngine.ts";
import type { AnswerSource, ChatDeps, ChatJob, Try } from "./chatJob.ts";
import { pass } from "./pass.ts";

/** One request on the own server. Never throws; costs nothing. */
export async function answerLocally(deps: ChatDeps, job: ChatJob, place: LocalPlace): Promise<Try> {
  const { clock, limits } = deps;
  const source: AnswerSource = { providerId: undefined, coverId: undefined, model: place.model, ratePerSecond: 0n };
  const free = { source, signed: undefined, cutByMoney: false, costWei: 0n, exact: true };
  const sentAtMs = clock.now();
  let begun = false;
  try {
    const stream = await place.chat(job.request, job.signal);
    const patient = { clock, limits: { ...limits, firstTokenMs: place.firstTokenMs } };
    const answer = await pass(patient, job, source, stream, sentAtMs, job.signal, () => {
      begun = true;
    });
    return { ...free, answer, begun, failure: answer.failure };
  } catch (thrown) {
    return { ...free, answer: undefined, begun, failure: AppError.from(thrown) };
  }
}
