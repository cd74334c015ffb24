// The provider with its payment taken out: the same server, checks of the body, engine and event stream; no token, meter or receipt.
import { randomUUID } from "node:crypto";
import { createApp, createLogger, createMetrics, listen, readJson } from "@clawcompute/lib/node";
import { chatRequest } from "@clawcompute/lib/protocol";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { createOpenaiBackend } from "../../agents/provider/backends/openai.ts";
import { createEventStream } from "../../agents/provider/routes/eventStream.ts";

const backend = createOpenaiBackend({ kind: "openai", baseUrl: `http://127.0.0.1:${process.argv[2]}/v1`, model: "m" });
const logger = createLogger({ name: "unpaid", level: "warn" });
const app = createApp({ logger, metrics: createMetrics("unpaid"), corsOrigin: "*" });
app.post("/v1/chat/completions", async (c) => {
  const asked = await readJson(c, chatRequest, 1_048_576);
  const events = createEventStream(c, randomUUID());
  const answering = (async () => {
    for await (const data of backend.chat(asked, events.gone)) await events.deliver({ data });
    events.finish([{ data: "[DONE]" }]);
  })();
  await Promise.race([events.opened, answering]);
  answering.catch(() => events.fail({ data: '{"error":{}}' }));
  return RESPONSE_ALREADY_SENT;
});
const { port } = await listen(app, { port: 0, host: "127.0.0.1" });
console.log(`port ${port}`);
