import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Network } from "@clawcompute/lib/config/network";
import { AppError, toProblem } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import {
  type Domain,
  encodeSignedReceipt,
  encodeSse,
  headers,
  paymentOfStream,
  RECEIPT_KEY,
  type Receipt,
  type Settlement,
  type SignedReceipt,
  type Signer,
  signReceipt,
  signSettlement,
  ZERO_HASH,
} from "@clawcompute/lib/protocol";

export interface Exchange {
  readonly response: ServerResponse;
  readonly streamId: bigint;
  readonly wantsSettlement: boolean;
  /** Sends an event that the body hash covers. */
  event(data: string): void;
  token(content: string, finishReason?: string): void;
  /** The signed receipt for what was sent so far, with a settlement if it was asked for. */
  sign(change?: Partial<Receipt>): Promise<SignedReceipt>;
  receipt(signed: SignedReceipt): void;
  done(): void;
}

export interface ScriptedProviderOptions {
  readonly network: Network;
  readonly signer: Signer;
  readonly owner?: `0x${string}`;
  /** What the provider does with a request. Default: three tokens, receipt, done. */
  readonly chat?: (exchange: Exchange) => Promise<void> | void;
  /** Answers before the built-in routes when it returns true. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse, body: string) => boolean | undefined;
  /** Refuses that many sessions first, as if the block had not been seen. */
  readonly unseen?: number;
}

export interface ScriptedProvider {
  readonly url: string;
  /** Set after registering. */
  offer: { id: number; ratePerSecond: bigint; model: string };
  readonly calls: string[];
  readonly bodies: string[];
  readonly exchanges: number;
  close(): Promise<void>;
}

export const fail = (response: ServerResponse, error: AppError, extra: Record<string, string> = {}) => {
  response.writeHead(error.status, { "content-type": "application/problem+json", ...extra }).end(JSON.stringify(toProblem(error)));
};

export async function wholeAnswer(exchange: Exchange, words: readonly string[] = ["paid ", "by the ", "second"]): Promise<void> {
  for (const word of words) exchange.token(word);
  exchange.token("", "stop");
  exchange.receipt(await exchange.sign());
  exchange.done();
}

/** A provider whose every move a test decides; honest where it is not told otherwise. Tokens are "token-<streamId>". */
export async function startScriptedProvider(options: ScriptedProviderOptions): Promise<ScriptedProvider> {
  const { network, signer, owner = signer.address, chat = wholeAnswer } = options;
  const domain: Domain = { chainId: network.chainId, verifyingContract: network.contracts.streamPay };
  let unseen = options.unseen ?? 0;
  const servedMs = new Map<bigint, number>();
  const provider = {
    url: "",
    offer: { id: 0, ratePerSecond: 0n, model: "" },
    calls: [] as string[],
    bodies: [] as string[],
    exchanges: 0,
    close: async () => {},
  };

  const settlementOf = async (streamId: bigint): Promise<Settlement> => {
    const owed = costDown(provider.offer.ratePerSecond, servedMs.get(streamId) ?? 0);
    return { streamId, owed, signature: await signSettlement(signer, domain, { streamId, owed }) };
  };

  const handle = async (request: IncomingMessage, response: ServerResponse, body: string): Promise<void> => {
    provider.calls.push(`${request.method} ${request.url}`);
    provider.bodies.push(body);
    if (options.intercept?.(request, response, body)) return;
    const json = (value: unknown, status = 200) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? String(item) : item)));
    };
    const streamId = BigInt(/token-(\d+)$/.exec(request.headers.authorization ?? "")?.[1] ?? 0);
    const { id, model, ratePerSecond } = provider.offer;
    switch (`${request.method} ${request.url}`) {
      case "GET /health":
        return json({
          status: "ok",
          chainId: network.chainId,
          chainTimeMs: Date.now(),
          lagMs: 0,
          models: [{ id: model, providerId: id, address: owner, pricePerSecond: ratePerSecond, serviceType: 0, free: 4, capacity: 4 }],
        });
      case "POST /v1/sessions": {
        if (unseen > 0) {
          unseen -= 1;
          return fail(response, new AppError("STREAM_UNKNOWN", "This stream is not known yet."));
        }
        const expiresAt = Math.floor(Date.now() / 1000) + 3600;
        const { streamId } = JSON.parse(body) as { streamId: string };
        return json(
          {
            token: `token-of-stream-token-${streamId}`,
            expiresAt,
            ratePerSecond,
            paidUntil: expiresAt,
            runwaySeconds: 60,
            lastReceiptHash: ZERO_HASH,
            servedMs: 0,
            provider: { id, model, address: owner, signer: signer.address },
          },
          201,
        );
      }
      case "POST /v1/sessions/settle":
        return json({ settlement: await settlementOf(streamId), servedMs: servedMs.get(streamId) ?? 0 });
      case "POST /v1/chat/completions":
        provider.exchanges += 1;
        return await chat(exchangeOf(response, streamId, request.headers[headers.settle] === "1"));
      default:
        return fail(response, new AppError("NOT_FOUND", "No such route."));
    }
  };

  const exchangeOf = (response: ServerResponse, streamId: bigint, wantsSettlement: boolean): Exchange => {
    const hash = createHash("sha256");
    const startedAtMs = Date.now();
    const write = (data: string) => {
      if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(encodeSse(data));
    };
    const event = (data: string) => {
      hash.update(`${data}\n`);
      write(data);
    };
    const { id: providerId, model, ratePerSecond } = provider.offer;
    return {
      response,
      streamId,
      wantsSettlement,
      event,
      token: (content, finishReason) =>
        event(
          JSON.stringify({
            id: "c",
            model,
            choices: [{ index: 0, delta: content ? { content } : {}, finish_reason: finishReason ?? null }],
          }),
        ),
      sign: async (change = {}) => {
        const ms = change.servedMs ?? Date.now() - startedAtMs;
        servedMs.set(streamId, ms);
        const amount = costDown(ratePerSecond, ms);
        const receipt: Receipt = {
          kind: "stream",
          payment: paymentOfStream(streamId),
          providerId,
          requestId: `r-${streamId}`,
          model,
          startedAtMs,
          firstTokenAtMs: startedAtMs,
          endedAtMs: startedAtMs + ms,
          servedMs: ms,
          unitsIn: 1,
          unitsOut: 3,
          amount,
          cumulativeServedMs: ms,
          cumulativeAmount: amount,
          bodyHash: `0x${hash.copy().digest("hex")}`,
          previousReceiptHash: ZERO_HASH,
          reason: "stop",
          ...change,
        };
        const signature = await signReceipt(signer, domain, receipt);
        return {
          receipt,
          signature,
          signer: signer.address,
          ...(wantsSettlement ? { settlement: await settlementOf(streamId) } : {}),
        };
      },
      receipt: (signed) => write(JSON.stringify({ id: "c", model, choices: [], [RECEIPT_KEY]: encodeSignedReceipt(signed) })),
      done: () => {
        write("[DONE]");
        response.end();
      },
    };
  };

  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      handle(request, response, body).catch((error) => response.destroy(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  provider.close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return provider;
}
