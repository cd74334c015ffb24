import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface UpstreamExchange {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Aborts when the caller's connection is gone before the answer was complete. */
  readonly gone: AbortSignal;
}

export interface ScriptedUpstream {
  readonly origin: string;
  /** In the order they came. */
  readonly exchanges: readonly UpstreamExchange[];
  /** How many connections were opened so far. */
  connections(): number;
  close(): Promise<void>;
}

/** A real HTTP server on a free port of this machine that answers as the test says. */
export async function startScriptedUpstream(
  answer: (exchange: UpstreamExchange, response: ServerResponse) => void | Promise<void>,
): Promise<ScriptedUpstream> {
  const exchanges: UpstreamExchange[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const leaving = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) leaving.abort();
    });
    const exchange: UpstreamExchange = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: Buffer.concat(parts).toString("utf8"),
      gone: leaving.signal,
    };
    exchanges.push(exchange);
    await answer(exchange, response);
  });
  server.on("connection", () => {
    connections++;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
