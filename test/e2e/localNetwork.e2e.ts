import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createIndexerClient } from "@clawcompute/lib/indexer";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NetworkRecord } from "../../scripts/dev/networkFile.ts";

const root = join(import.meta.dirname, "../..");
let folder = "";
const started: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "claw-start-"));
});
afterAll(async () => {
  for (const child of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGTERM");
    await once(child, "close");
  }
  rmSync(folder, { recursive: true, force: true });
});

/** `npm start` in a folder and on ports of its own; resolves at `line`, or with the end of the process. */
function start(line: RegExp) {
  const args = ["scripts/dev/network.ts", "--folder", folder, "--free-ports", "--no-dashboard"];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  let output = "";
  const closed = once(child, "close").then(([code]) => code as number | null);
  const until = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => pattern.test(output) && resolve();
      for (const stream of [child.stdout, child.stderr]) stream.on("data", look);
      closed.then((code) => (pattern.test(output) ? resolve() : reject(new Error(`ended with ${code} before ${pattern}:\n${output}`))));
      look();
    });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk;
    });
  }
  return { child, closed, until, output: () => output, at: until(line) };
}

const record = () => JSON.parse(readFileSync(join(folder, "network.json"), "utf8")) as Required<NetworkRecord>;
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Asks as any OpenAI client does; returns the stream or channel that paid. */
async function ask(gateway: string): Promise<string> {
  const response = await fetch(`${gateway}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "claw-tiny-1", messages: [{ role: "user", content: "Hello" }] }),
  });
  const body = await response.text();
  expect([response.status, body]).toEqual([200, expect.stringContaining("choices")]);
  const answer = JSON.parse(body) as { choices: [{ message: { content: string } }]; clawcompute: { streamId: string } };
  expect(answer.choices[0].message.content).not.toBe("");
  return answer.clawcompute.streamId;
}

async function untilIndexed(url: string, cover: string): Promise<void> {
  const indexer = createIndexerClient({ url });
  const find = () => (cover.startsWith("0x") ? indexer.get("channel", { id: cover }) : indexer.get("stream", { id: cover }));
  await expect.poll(() => find().then(({ id }) => id), { timeout: 60_000, interval: 200 }).toBe(cover);
}

test("npm start brings a gateway and an indexer, goes on without a part that dies, ends with nothing left, and goes on from there", {
  timeout: 300_000,
}, async () => {
  const first = start(/is ready after/);
  await first.at;
  const { urls, pids } = record();
  for (const url of [`${urls.gateway}/v1`, urls.indexer, urls.rpc]) expect(first.output()).toContain(url);
  expect(Object.keys(pids).sort()).toEqual(
    ["chain", "chain engine", "claw-tiny-1", "claw-tiny-2", "echo", "gateway", "indexer", "keeper"].sort(),
  );

  const cover = await ask(urls.gateway);
  await untilIndexed(urls.indexer, cover);

  const second = start(/already running/);
  await second.at;
  expect(await second.closed).toBe(0);
  expect(second.output()).toContain(urls.gateway);

  process.kill(pids.gateway as number, "SIGKILL");
  await first.until(/gateway has ended by itself \(signal SIGKILL\)/);
  first.child.kill("SIGINT");
  expect(await first.closed).toBe(1);
  expect(first.output()).toContain("Everything has ended.");
  expect(Object.values(pids).filter(isAlive)).toEqual([]);

  const third = start(/is ready after/);
  await third.at;
  const again = record();
  await untilIndexed(again.urls.indexer, cover);
  await ask(again.urls.gateway);
  third.child.kill("SIGTERM");
  expect(await third.closed).toBe(0);
  expect(Object.values(again.pids).filter(isAlive)).toEqual([]);
});
