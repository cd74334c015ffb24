import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface RpcRequest {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/**
 * What becomes of a request: "pass" it; "refuse" the connection before the chain sees it; "lose-reply": the chain gets it and the
 * answer is lost; or answer in the chain's place.
 */
export type RpcFate =
  | "pass"
  | "refuse"
  | "lose-reply"
  | { readonly result: unknown }
  | { readonly error: { code: number; message: string; data?: unknown } };

export interface RpcProxy {
  readonly url: string;
  /** Methods asked for, in order. */
  readonly methods: string[];
  /** Decides from now on. `answer` asks the chain. */
  decide(rule: (request: RpcRequest, answer: () => Promise<unknown>) => RpcFate | Promise<RpcFate>): void;
  stop(): Promise<void>;
}

/** A faulty line to a chain's RPC endpoint. */
export async function startRpcProxy(rpcUrl: string): Promise<RpcProxy> {
  const methods: string[] = [];
  let rule: Parameters<RpcProxy["decide"]>[0] = () => "pass";

  const ask = async (request: RpcRequest) => {
    const response = await fetch(rpcUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    return (await response.json()) as { result?: unknown };
  };

  async function answer(received: RpcRequest, cut: () => void): Promise<unknown> {
    const request = { ...received, params: received.params ?? [] };
    methods.push(request.method);
    const fate = await rule(request, async () => (await ask(request)).result);
    if (fate === "pass") return ask(request);
    if (typeof fate === "object") return { jsonrpc: "2.0", id: request.id, ...fate };
    if (fate === "lose-reply") await ask(request);
    cut();
    return undefined;
  }

  const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const parts: Buffer[] = [];
    incoming.on("data", (part) => parts.push(part));
    incoming.on("end", async () => {
      try {
        const body = JSON.parse(Buffer.concat(parts).toString()) as RpcRequest | RpcRequest[];
        const cut = () => incoming.socket.destroy();
        const answered = Array.isArray(body) ? await Promise.all(body.map((one) => answer(one, cut))) : await answer(body, cut);
        if (!incoming.socket.destroyed) outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answered));
      } catch {
        incoming.socket.destroy();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    methods,
    decide: (next) => {
      rule = next;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
