// The model server of the benchmark: OpenAI's events, as many and as fast as the last message asks for. Prints its port.
import { createServer, type ServerResponse } from "node:http";
import type { Pace } from "./load.ts";

const event = (content: string, finish: string | null) =>
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
const word = event("word ", null);
const last = `${event("", "stop")}data: [DONE]\n\n`;

function answer({ events, firstMs, gapMs }: Pace, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  let said = 0;
  let timer: NodeJS.Timeout | undefined;
  const say = () => {
    while (said < events) {
      said += 1;
      response.write(word);
      if (gapMs > 0 && said < events) {
        timer = setTimeout(say, gapMs);
        return;
      }
    }
    if (Number.isFinite(events)) response.end(last);
  };
  timer = firstMs > 0 ? setTimeout(say, firstMs) : undefined;
  if (firstMs === 0) say();
  response.once("close", () => clearTimeout(timer));
}

const server = createServer(async (request, response) => {
  if (request.method === "GET") return void response.end(JSON.stringify({ object: "list", data: [{ id: "m", object: "model" }] }));
  let body = "";
  request.setEncoding("utf8").on("data", (part) => {
    body += part;
  });
  request.once("end", () => answer(JSON.parse(JSON.parse(body).messages.at(-1).content), response));
});
server.keepAliveTimeout = 65_000;
server.listen(0, "127.0.0.1", () => console.log(`port ${(server.address() as { port: number }).port}`));
