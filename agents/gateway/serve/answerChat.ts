import { AppError } from "@clawcompute/lib/errors";
import { isClientFault } from "../ask.ts";
import type { LocalPlace } from "../local/localEngine.ts";
import { chooseOffers, service } from "../selection/choose.ts";
import { usualSeconds } from "../selection/rank.ts";
import { answerLocally } from "./answerLocally.ts";
import { answerOnNetwork, speedOf } from "./answerOnNetwork.ts";
import type { AttemptRecord, ChatDeps, ChatJob, ChatOutcome, Try } from "./chatJob.ts";

/** Where a provider's id is expected. */
const OWN_SERVER = 0;

/** One request of a client, answered once: on the own server where the policy says so, else by the network. Throws when no word came. */
export async function answerChat(deps: ChatDeps, job: ChatJob): Promise<ChatOutcome> {
  const hold = deps.budget.admit(job.client, job.maxCostWei);
  const attempts: AttemptRecord[] = [];
  let costWei = 0n;
  const outcomeOf = (done: Try, ranked: ChatOutcome["ranked"]): ChatOutcome => {
    if (done.source.providerId === undefined && !done.failure) deps.experience.succeeded(OWN_SERVER, speedOf(done.answer));
    costWei = done.costWei;
    return { ...done, servedMs: done.signed?.receipt.servedMs ?? done.answer?.measuredMs ?? 0, attempts, ranked };
  };
  const network = async (on: ChatJob) => {
    try {
      const { done, ranked } = await answerOnNetwork(deps, on, hold.mostWei, attempts);
      return outcomeOf(done, ranked);
    } catch (thrown) {
      // Its limit was used up before the first word: that is the client's cost all the same.
      const { code, facts } = AppError.from(thrown);
      if (code === "BUDGET_EXCEEDED" && typeof facts.usedWei === "string") costWei = BigInt(facts.usedWei);
      throw thrown;
    }
  };
  try {
    const decision = await deps.local?.decide(job.choice);
    if (decision?.kind === "refused") {
      throw new AppError("NO_PROVIDER", `Only the own server may be used, and it cannot: ${decision.reason}.`, { retryAfterSeconds: 5 });
    }
    if (decision?.kind !== "local") return await network(job);
    if (!decision.place.only && (await isCheaperOnNetwork(deps, job, decision.place))) {
      decision.place.release();
      return await network(job);
    }
    try {
      return await localFirst(deps, job, decision.place, attempts, outcomeOf, network);
    } finally {
      decision.place.release();
    }
  } finally {
    hold.settle(costWei);
  }
}

/** The network has to be this much cheaper than the own server (C-009, C-026). */
const CHEAPER = 0.8;

async function isCheaperOnNetwork({ choose, experience }: ChatDeps, { choice, client }: ChatJob, place: LocalPlace): Promise<boolean> {
  if (place.pricePerSecond === 0n) return false;
  const [best] = await chooseOffers(choose, choice, client, service.text).catch(() => []);
  if (!best || best.cooling) return false;
  const ownWei = Number(place.pricePerSecond) * usualSeconds(experience.of(OWN_SERVER));
  return Number(best.expectedWei) < CHEAPER * ownWei;
}

/** The own server, and the network when it fails or, in a race, is slow: whoever has the first word answers, the other is cut off. */
async function localFirst(
  deps: ChatDeps,
  job: ChatJob,
  place: LocalPlace,
  attempts: AttemptRecord[],
  outcomeOf: (done: Try, ranked: ChatOutcome["ranked"]) => ChatOutcome,
  network: (on: ChatJob) => Promise<ChatOutcome>,
): Promise<ChatOutcome> {
  const localLost = new AbortController();
  const networkLost = new AbortController();
  let winner: "local" | "network" | undefined;
  const runnerOf = (who: "local" | "network", lost: AbortController, other: AbortController): ChatJob => ({
    ...job,
    signal: AbortSignal.any([job.signal, lost.signal]),
    outlet: {
      ...job.outlet,
      begin: async (source) => {
        if (winner !== undefined && winner !== who) throw new AppError("ABORTED", "The other one was faster.");
        winner = who;
        other.abort();
        await job.outlet.begin(source);
      },
    },
  });

  const own = answerLocally(deps, runnerOf("local", localLost, networkLost), place);
  own.catch(() => {});
  const slow = new AbortController();
  const first =
    place.raceAfterMs === undefined
      ? await own
      : await Promise.race([own, deps.clock.sleep(place.raceAfterMs, slow.signal).then(() => undefined)]).finally(() => slow.abort());
  // An answer that is under way is no longer a race.
  const done = first ?? (winner === "local" ? await own : undefined);
  if (done?.begun) return outcomeOf(done, []);
  if (done) {
    attempts.push({ providerId: OWN_SERVER, code: done.failure?.code ?? "UPSTREAM_FAILED" });
    if (job.signal.aborted) throw new AppError("CLIENT_GONE", "The client went away before the first word.");
    if (done.failure && isClientFault(done.failure)) throw done.failure;
    if (place.only) throw done.failure ?? new AppError("UPSTREAM_FAILED", "The own server gave no answer.");
    return network(job);
  }
  const [ownEnd, networkEnd] = await Promise.allSettled([own, network(runnerOf("network", networkLost, localLost))]);
  if (ownEnd.status === "fulfilled" && ownEnd.value.begun) return outcomeOf(ownEnd.value, []);
  if (networkEnd.status === "fulfilled") return networkEnd.value;
  throw networkEnd.reason;
}
