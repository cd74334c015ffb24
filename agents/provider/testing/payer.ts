import { randomBytes } from "node:crypto";
import { type Chain, chainTimeMs, connectChain, createSender, streamEventsOf, streamPayWrites } from "@clawcompute/lib/chain";
import {
  type Domain,
  headers,
  parseSse,
  RECEIPT_KEY,
  type SessionRequest,
  type SessionResponse,
  type Settlement,
  type SseEvent,
  signSessionProof,
} from "@clawcompute/lib/protocol";
// biome-ignore lint/style/noRestrictedImports: test equipment
import { createRecordingLogger, type LocalChain } from "@clawcompute/lib/testing";
import { type LocalAccount, toHex } from "viem";

/** What came back of a streamed answer. */
export interface ReadAnswer {
  readonly events: readonly SseEvent[];
  readonly text: string;
  readonly finish: string | undefined;
  readonly receipt: unknown;
  readonly done: boolean;
  readonly error: { code: string; message: string } | undefined;
}

/** A payer with a wallet on a real chain, who talks to a provider by plain HTTP. */
export function createPayer(local: LocalChain, account: LocalAccount, chain: Chain = connectChain(local.network)) {
  const sender = createSender({ chain, account, logger: createRecordingLogger() });
  const domain: Domain = { chainId: local.network.chainId, verifyingContract: local.network.contracts.streamPay };
  const send = async (call: Parameters<typeof sender.send>[0]) => sender.send(call, { onSent: () => void local.mine() });

  async function proofOf(streamId: bigint, changes: Partial<SessionRequest> & { signWith?: LocalAccount } = {}): Promise<SessionRequest> {
    const { signWith = account, ...fields } = changes;
    const now = Math.floor((await chainTimeMs(chain)) / 1000);
    const issuedAt = fields.issuedAt ?? now;
    const message = { issuedAt, expiresAt: fields.expiresAt ?? issuedAt + 60, nonce: fields.nonce ?? toHex(randomBytes(32)) };
    const signature = await signSessionProof(signWith, domain, {
      streamId,
      issuedAt: BigInt(message.issuedAt),
      expiresAt: BigInt(message.expiresAt),
      nonce: message.nonce,
    });
    return { kind: "stream", streamId: String(streamId), chainId: domain.chainId, ...message, signature, ...fields };
  }

  const post = (url: string, body: unknown, init: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...init },
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...(signal ? { signal } : {}),
    });

  return {
    account,
    chain,
    domain,
    send,
    proofOf,
    post,
    balance: () => chain.client.getBalance({ address: account.address }),
    openStream: async (offer: {
      recipient: `0x${string}`;
      providerId: number;
      rate?: bigint;
      seconds?: number;
      serviceType?: number;
    }): Promise<bigint> => {
      const { recipient, providerId, rate = 100_000_000_000_000n, seconds = 600, serviceType = 0 } = offer;
      const call = streamPayWrites.createStream({
        recipient,
        durationSeconds: seconds,
        serviceType,
        providerId,
        value: rate * BigInt(seconds),
      });
      const { receipt } = await send(call);
      const created = streamEventsOf(receipt).find((event) => event.eventName === "StreamCreated");
      if (created?.eventName !== "StreamCreated") throw new Error("no stream was created");
      return created.args.id;
    },
    settle: ({ streamId: id, owed, signature }: Settlement) => send(streamPayWrites.settleStream({ id, owed, signature })),
    cancel: (id: bigint) => send(streamPayWrites.cancelStream(id)),
    session: async (url: string, streamId: bigint): Promise<SessionResponse> => {
      const response = await post(`${url}/v1/sessions`, await proofOf(streamId));
      const body = await response.json();
      if (response.status !== 201) throw new Error(JSON.stringify(body));
      return body as SessionResponse;
    },
    chat: (url: string, token: string, body: Record<string, unknown>, options: { settle?: boolean; signal?: AbortSignal } = {}) =>
      post(
        `${url}/v1/chat/completions`,
        { messages: [{ role: "user", content: "hi" }], ...body },
        { authorization: `Bearer ${token}`, ...(options.settle ? { [headers.settle]: "1" } : {}) },
        options.signal,
      ),
  };
}

export type Payer = ReturnType<typeof createPayer>;

/** Events of a streamed answer one by one, so that a test can act between them. */
export const eventsOf = (response: Response): AsyncGenerator<SseEvent> => parseSse(response.body as unknown as AsyncIterable<Uint8Array>);

export async function readAnswer(response: Response): Promise<ReadAnswer> {
  const events: SseEvent[] = [];
  for await (const event of eventsOf(response)) events.push(event);
  return summarize(events);
}

export function summarize(events: readonly SseEvent[]): ReadAnswer {
  const data = events.filter((event) => event.comment === undefined).map((event) => event.data);
  const chunks = data.filter((text) => text !== "[DONE]").map((text) => JSON.parse(text));
  const choices = chunks.flatMap((chunk) => chunk.choices ?? []);
  return {
    events,
    text: choices.map((choice) => choice.delta?.content ?? "").join(""),
    finish: choices.findLast((choice) => choice.finish_reason)?.finish_reason,
    receipt: chunks.find((chunk) => chunk[RECEIPT_KEY])?.[RECEIPT_KEY],
    done: data.at(-1) === "[DONE]",
    error: chunks.find((chunk) => chunk.error)?.error,
  };
}
