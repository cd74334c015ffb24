import { createHash, randomUUID } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import { costUp, formatAmount } from "@clawcompute/lib/money";
import { headers, type SignedReceipt } from "@clawcompute/lib/protocol";
import { atMostIn } from "../asset.ts";
import type { Client } from "../budget/budget.ts";
import { lookAhead, MAX_CANDIDATES } from "../preflight.ts";
import { bytesOf } from "../providerClient.ts";
import { chooseOffers, type ServiceType } from "../selection/choose.ts";
import { classify, saidByProvider } from "../selection/faults.ts";
import { parseModelName } from "../selection/modelName.ts";
import type { Place } from "../selection/places.ts";
import { lookAt, nobodyAnswered, PLACE_WAIT_MS } from "./answerOnNetwork.ts";
import type { AttemptRecord } from "./chatJob.ts";
import type { GatewayContext } from "./context.ts";
import { explainChoice } from "./explainChoice.ts";

export interface RelayCall {
  readonly client: Client;
  /** As the client wrote it. */
  readonly asked: string;
  readonly service: ServiceType;
  readonly route: string;
  readonly path: string;
  readonly contentType: string;
  readonly accept: string;
  /** The body for a provider's own name of the model. */
  readonly bodyFor: (model: string) => Uint8Array;
  readonly maxCostWei: bigint | undefined;
  readonly signal: AbortSignal;
}

export interface Relayed {
  readonly requestId: string;
  readonly body: Buffer;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly extra: object;
}

const MAX_SENT = 3;
const MAX_ANSWER_BYTES = 64 * 1_048_576;
/** Images take their time. */
const HEADERS_MS = 180_000;

/** One request of a kind that is answered in one piece, paid and failed over like a chat. Throws when nobody answered. */
export async function relay(context: GatewayContext, call: RelayCall): Promise<Relayed> {
  const { chat, clock, ledger, counted } = context;
  const { pool, places, choose, experience } = chat;
  const { client, asked, signal } = call;
  const requestId = `req_${randomUUID()}`;
  const startedAtMs = clock.now();
  const attempts: AttemptRecord[] = [];
  const hold = context.budget.admit(client, atMostIn(choose.asset, call.maxCostWei));
  const release = context.begin();
  ledger.begin({ requestId, client: client.name, asked, route: call.route, startedAtMs });
  let costWei = 0n;
  let outcome = "ok";
  let done: (Sent & { readonly providerId: number; readonly coverId: string; readonly model: string }) | undefined;
  let ranked: Awaited<ReturnType<typeof chooseOffers>> = [];
  try {
    ranked = await chooseOffers(choose, parseModelName(asked), client, call.service);
    let last: AppError | undefined;
    let busyOnly = true;
    let sent = 0;
    const waiting = ranked.slice(0, MAX_CANDIDATES);
    const look = lookAhead((offer) => lookAt(chat, offer, signal));
    const patientUntilMs = clock.now() + PLACE_WAIT_MS;
    for (let next = waiting.shift(); next && sent < MAX_SENT; next = waiting.shift()) {
      const { offer } = next;
      if (signal.aborted) throw new AppError("CLIENT_GONE", "The client went away.");
      let place: Place | undefined;
      try {
        place = await places.take(offer.id, patientUntilMs, signal);
        if (!pool.isWarm(offer.id)) {
          await look(
            offer,
            waiting.map(({ offer }) => offer),
          );
        }
        sent += 1;
        const taken = await pool.take(offer, signal);
        try {
          done = { ...(await send(context, call, taken.cover)), providerId: offer.id, coverId: taken.cover.id, model: offer.model };
        } catch (thrown) {
          if (classify(AppError.from(thrown)) !== "client") pool.retire(taken.cover);
          throw thrown;
        } finally {
          taken.release();
        }
        costWei = done.costWei;
        experience.succeeded(offer.id, { firstTokenMs: undefined, tokensPerSecond: undefined });
        break;
      } catch (thrown) {
        const error = AppError.from(thrown);
        last = error;
        attempts.push({ providerId: offer.id, code: error.code });
        const fault = classify(error);
        if (fault === "client" || fault === "own" || fault === "gone") throw error;
        if (fault === "busy") {
          place?.refused(error);
          if (place && clock.now() < patientUntilMs) {
            sent -= 1;
            waiting.push(next);
          }
        } else {
          busyOnly = false;
          if (fault === "provider") experience.failed(offer.id, error.code);
        }
      } finally {
        place?.release();
      }
    }
    if (!done) {
      if (attempts.length > 0 && attempts.every(({ code }) => code === "NOT_FOUND" || code === "UNSUPPORTED")) {
        throw new AppError("UNSUPPORTED", `No provider of this model offers ${call.path}.`, { param: "model" });
      }
      throw nobodyAnswered(attempts, last, busyOnly, 1_000);
    }
    const extra = {
      requestId,
      provider: String(done.providerId),
      streamId: done.coverId,
      model: done.model,
      costWei: String(costWei),
      cost: formatAmount(costWei, choose.asset.decimals),
      symbol: choose.asset.symbol,
      servedMs: done.servedMs,
    };
    const shown = {
      "x-request-id": requestId,
      "clawcompute-provider": extra.provider,
      "clawcompute-stream": extra.streamId,
      "clawcompute-cost": extra.costWei,
    };
    return { requestId, body: done.body, contentType: done.contentType, headers: shown, extra };
  } catch (thrown) {
    outcome = AppError.from(thrown).code;
    throw thrown;
  } finally {
    hold.settle(costWei);
    counted.answered(outcome, done ? "network" : "none");
    ledger.finish(requestId, {
      endedAtMs: clock.now(),
      model: done?.model,
      providerId: done?.providerId,
      coverId: done?.coverId,
      costWei,
      exact: done?.signed !== undefined,
      servedMs: done?.servedMs ?? 0,
      firstTokenMs: undefined,
      unitsIn: done?.signed?.receipt.unitsIn ?? 0,
      unitsOut: done?.signed?.receipt.unitsOut ?? 0,
      outcome,
      finishReason: undefined,
      attempts,
      receipt: undefined,
      choice: explainChoice(ranked, choose.asset),
    });
    release();
  }
}

interface Sent {
  readonly body: Buffer;
  readonly contentType: string;
  readonly signed: SignedReceipt | undefined;
  readonly costWei: bigint;
  readonly servedMs: number;
}

type Taken = Awaited<ReturnType<GatewayContext["chat"]["pool"]["take"]>>;

async function send({ clock, logger }: GatewayContext, call: RelayCall, cover: Taken["cover"]): Promise<Sent> {
  const sentAtMs = clock.now();
  const { path, contentType, accept, signal } = call;
  const response = await cover
    .send(path, { body: call.bodyFor(cover.offer.model), contentType, accept, headersMs: HEADERS_MS, signal })
    .catch((thrown: unknown) => {
      throw saidByProvider(thrown);
    });
  const parts: Uint8Array[] = [];
  for await (const part of bytesOf(response, MAX_ANSWER_BYTES)) parts.push(part);
  if (signal.aborted) throw new AppError("CLIENT_GONE", "The client went away.");
  const length = response.headers["content-length"];
  const body = Buffer.concat(parts);
  if (!response.complete || (length !== undefined && Number(length) !== body.byteLength)) {
    throw new AppError("PROVIDER_FAILED", "The provider's answer broke off.");
  }
  const measuredMs = clock.now() - sentAtMs;
  const bodyHash = `0x${createHash("sha256").update(body).digest("hex")}` as const;
  const wire = response.headers[headers.receipt] ?? response.trailers[headers.receipt];
  const signed =
    typeof wire === "string"
      ? await cover.verify(parse(wire), { bodyHash, measuredMs }).catch((thrown: unknown) => {
          logger.warn({ providerId: cover.offer.id, message: AppError.from(thrown).message }, "a receipt was refused");
          return undefined;
        })
      : undefined;
  return {
    body,
    contentType: response.headers["content-type"] ?? "application/octet-stream",
    signed,
    costWei: signed ? signed.receipt.amount : costUp(cover.ratePerSecond, measuredMs),
    servedMs: signed?.receipt.servedMs ?? measuredMs,
  };
}

function parse(wire: string): unknown {
  try {
    return JSON.parse(Buffer.from(wire, "base64url").toString());
  } catch {
    return undefined;
  }
}
