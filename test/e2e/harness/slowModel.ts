import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";

export interface SlowModel {
  readonly url: string;
  /** Requests under way now, and the most there were at once. */
  running(): number;
  most(): number;
  stop(): Promise<void>;
}

const chunk = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

/** An OpenAI-compatible server that says as many words as the last message asks for ("5"), one each 50 ms; "0" for ever. */
export async function startSlowModel(): Promise<SlowModel> {
  let running = 0;
  let most = 0;
  const answer = (words: number, response: ServerResponse) => {
    running += 1;
    most = Math.max(most, running);
    response.writeHead(200, { "content-type": "text/event-stream" });
    let said = 0;
    const timer = setInterval(() => {
      said += 1;
      response.write(chunk(`${said} `));
      if (said !== words) return;
      clearInterval(timer);
      response.end(`${chunk("", "stop")}data: [DONE]\n\n`);
    }, 50);
    response.once("close", () => {
      clearInterval(timer);
      running -= 1;
    });
  };
  const server = createServer(async (request, response) => {
    if (request.method === "GET") return void response.end(JSON.stringify({ object: "list", data: [{ id: "m", object: "model" }] }));
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    answer(Number(JSON.parse(Buffer.concat(parts).toString()).messages.at(-1).content), response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1`,
    running: () => running,
    most: () => most,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
