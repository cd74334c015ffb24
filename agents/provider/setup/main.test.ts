import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { type ScriptedUpstream, startScriptedUpstream } from "@clawcompute/lib/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Places } from "./detect.ts";
import { main } from "./main.ts";

const nowhere = "http://127.0.0.1:1";
const KEY = "0123456789abcdef".repeat(4);
const PHRASE = "abandon ability able about above absent absorb abstract absurd abuse access accident";
let folder: string;
let servers: ScriptedUpstream[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "claw-setup-"));
  await mkdir(join(folder, "bin"));
  servers = [];
});
afterEach(async () => {
  for (const server of servers) await server.close();
  await rm(folder, { recursive: true });
});

/** A program of this name on the search path that prints `text`, or fails when its first argument is `failsAt`. */
async function program(name: string, text: string, failsAt?: string): Promise<void> {
  const path = join(folder, "bin", name);
  await writeFile(path, `#!/bin/sh\n[ "$1" = "${failsAt ?? "-"}" ] && exit 1\n/bin/cat <<'END'\n${text}\nEND\n`);
  await chmod(path, 0o755);
}

async function serving(answers: Record<string, unknown>): Promise<string> {
  const server = await startScriptedUpstream(({ path }, response) => {
    const found = answers[path];
    response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(found ?? {}));
  });
  servers.push(server);
  return server.origin;
}

async function run(argv: string[], places: Partial<Places> = {}, env: Record<string, string> = {}) {
  let out = "";
  let err = "";
  const code = await main({
    argv,
    env: { PATH: join(folder, "bin"), ...env },
    places: { ollama: nowhere, vllm: nowhere, llamaCpp: nowhere, lmstudio: nowhere, ...places },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}
const target = () => join(folder, "provider.env");
const json = async (argv: string[], places: Partial<Places> = {}, env: Record<string, string> = {}) =>
  JSON.parse((await run([...argv, "--json"], places, env)).out);
const tags = (...names: string[]) => ({ "/api/tags": { models: names.map((name) => ({ name })) } });

describe("setup --check", () => {
  test("behavior: an empty machine: says what is there and what is needed, and writes nothing", async () => {
    const report = await json(["--check"]);
    expect(report).toMatchObject({
      ready: false,
      machine: { gpus: [], ollamaInstalled: false, engines: [], embedded: true, node: { version: process.versions.node, supported: true } },
      plan: { backend: "echo" },
    });
    expect(report.machine.docker).toBeUndefined();
    expect(report.machine.cpu.cores).toBeGreaterThan(0);
    expect(report.missing[0]).toMatchObject({ what: "a model server that answers on this machine", optional: false });
    const { code, out } = await run(["--check"]);
    expect(code).toBe(0);
    expect(out).toContain("no NVIDIA GPU found");
    expect(out).toContain("not ready to serve a model");
    expect(await readdir(folder)).toEqual(["bin"]);
  });

  test("behavior: GPUs, Docker without the NVIDIA runtime, Ollama with models", async () => {
    await program("nvidia-smi", "NVIDIA GeForce RTX 4090, 24564, 550.54\nNVIDIA GeForce RTX 4090, 24564, 550.54");
    await program("docker", '{"ServerVersion":"27.1.1","Runtimes":{"runc":{}}}');
    const ollama = await serving(tags("qwen3:8b", "llama3.2:latest"));
    const report = await json(["--check"], { ollama });
    expect(report.machine).toMatchObject({
      gpus: [{ name: "NVIDIA GeForce RTX 4090", memoryMiB: 24564, driver: "550.54" }, {}],
      docker: { running: true, version: "27.1.1", nvidiaRuntime: false },
      ollamaInstalled: true,
      engines: [{ name: "ollama", baseUrl: `${ollama}/v1`, models: ["qwen3:8b", "llama3.2:latest"] }],
    });
    expect(report).toMatchObject({
      ready: true,
      plan: { backend: "openai", values: { INFERENCE_MODEL: "qwen3:8b", MODEL_NAME: "qwen3:8b" } },
    });
    expect(report.missing).toEqual([
      { what: expect.stringContaining("NVIDIA Container Toolkit"), remedy: expect.any(String), optional: true },
    ]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["vllm", { "/v1/models": { data: [{ id: "Qwen/Qwen3-8B", owned_by: "vllm" }] } }, "vllm"],
    ["llamaCpp", { "/v1/models": { data: [{ id: "/models/x.gguf", owned_by: "llamacpp" }] } }, "llama.cpp"],
    ["lmstudio", { "/v1/models": { data: [{ id: "phi-4" }] } }, "lmstudio"],
    ["vllm", { "/v1/models": { data: [{ id: "x", owned_by: "llamacpp" }] } }, "llama.cpp"],
  ])("behavior: a server at the place of %s is known by what it says", async (place, answers, name) => {
    const origin = await serving(answers);
    const report = await json(["--check"], { [place]: origin });
    expect(report.machine.engines).toMatchObject([{ name, baseUrl: `${origin}/v1` }]);
  });

  test("behavior: something else that answers on a usual port is no model server", async () => {
    const origin = await serving({ "/v1/models": { hello: 1 }, "/api/tags": [1] });
    expect((await json(["--check"], { ollama: origin, vllm: origin, llamaCpp: origin })).machine.engines).toEqual([]);
  });

  test("behavior: Docker, and Ollama, that are installed but do not run", async () => {
    await program("docker", "Docker version 27.1.1", "info");
    await program("ollama", "ollama version is 0.9");
    const { machine, missing } = await json(["--check"]);
    expect(machine).toMatchObject({ docker: { running: false, nvidiaRuntime: false }, ollamaInstalled: true });
    expect(missing.map(({ what }: { what: string }) => what)).toEqual([
      "Ollama running: it is installed but does not answer",
      "Docker running: it is installed but does not answer",
      "an NVIDIA GPU",
    ]);
  });

  test("behavior: Ollama without a model: names one that fits", async () => {
    const { missing, ready } = await json(["--check"], { ollama: await serving(tags()) });
    expect(ready).toBe(false);
    expect(missing[0]).toMatchObject({ what: "a model: Ollama runs without one", remedy: expect.stringMatching(/^ollama pull llama3/) });
  });

  test("behavior: INFERENCE_URL that is set already goes first, and is listed once", async () => {
    const ollama = await serving({ ...tags("a"), "/v1/models": { data: [{ id: "a" }] } });
    const { machine } = await json(["--check"], { ollama }, { INFERENCE_URL: `${ollama}/v1` });
    expect(machine.engines).toEqual([{ name: "other", baseUrl: `${ollama}/v1`, models: ["a"] }]);
  });
});

describe("setup", () => {
  test("behavior: writes settings that only the owner may read, with keys left blank, and prints the next command", async () => {
    const ollama = await serving(tags("llama3.2:latest"));
    const { code, out } = await run(
      ["--out", target(), "--price", "0.0002", "--port", "3009"],
      { ollama },
      { PRIVATE_KEY: KEY, GROQ_API_KEY: "gsk_secret" },
    );
    expect(code).toBe(0);
    expect((await stat(target())).mode & 0o777).toBe(0o600);
    const text = await readFile(target(), "utf8");
    expect(parseEnv(text)).toEqual({
      BACKEND: "openai",
      INFERENCE_URL: `${ollama}/v1`,
      INFERENCE_MODEL: "llama3.2:latest",
      MODEL_NAME: "llama3.2",
      PRICE_PER_SECOND: "0.0002",
      PROVIDER_PORT: "3009",
      NETWORK: "local",
    });
    expect(text).toMatch(/^# INFERENCE_API_KEY=$/m);
    expect(text).toMatch(/^# SIGNER_PRIVATE_KEY=$/m);
    expect(out).toContain(`node --env-file=${target()}`);
    expect(out + text).not.toMatch(/gsk_secret|0123456789abcdef/);
  });

  test.each<[string[], Record<string, string>]>([
    [["--backend", "echo"], { BACKEND: "echo", MODEL_NAME: "echo" }],
    [["--backend", "groq"], { BACKEND: "groq", MODEL_NAME: "llama-3.3-70b-versatile", INFERENCE_MODEL: "llama-3.3-70b-versatile" }],
    [["--gguf", "/models/My Model.gguf"], { BACKEND: "llama", GGUF_PATH: "/models/My Model.gguf", MODEL_NAME: "My Model" }],
    [
      ["--inference-url", `${nowhere}/v1`, "--inference-model", "/srv/models/Qwen3-8B"],
      { BACKEND: "openai", INFERENCE_URL: `${nowhere}/v1`, INFERENCE_MODEL: "/srv/models/Qwen3-8B", MODEL_NAME: "Qwen3-8B" },
    ],
  ])("behavior: %j", async (argv, expected) => {
    expect((await run([...argv, "--out", target()])).code).toBe(0);
    expect(parseEnv(await readFile(target(), "utf8"))).toMatchObject(expected);
  });

  test("behavior: on a public network the wallet comes first", async () => {
    const argv = [
      "--backend",
      "groq",
      "--network",
      "bsc",
      "--endpoint",
      "https://gpu.example",
      "--address",
      `0x${"ab".repeat(20)}`,
      "--out",
      target(),
    ];
    expect((await json(argv)).next[0]).toBe("npm run claw -- wallet new");
    expect(parseEnv(await readFile(target(), "utf8"))).toMatchObject({
      NETWORK: "bsc",
      ENDPOINT_URL: "https://gpu.example",
      PROVIDER_ADDRESS: `0x${"ab".repeat(20)}`,
    });
  });

  test("error: an existing file is refused; --force keeps it beside the new one", async () => {
    await writeFile(target(), "GROQ_API_KEY=mine");
    const refused = await run(["--backend", "echo", "--out", target()]);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("exists already") });
    expect(await readFile(target(), "utf8")).toBe("GROQ_API_KEY=mine");
    expect((await run(["--backend", "echo", "--out", target(), "--force"])).code).toBe(0);
    expect(await readFile(`${target()}.before-setup`, "utf8")).toBe("GROQ_API_KEY=mine");
    expect((await stat(target())).mode & 0o777).toBe(0o600);
  });

  test.each<[string, string[]]>([
    ["a private key", ["--address", `0x${KEY}`]],
    ["a bare key", [KEY]],
    ["a key inside a value", [`--model=${KEY}`]],
    ["a recovery phrase in one argument", ["--address", PHRASE]],
    ["a recovery phrase in many", PHRASE.split(" ")],
  ])("error: %s stops everything and is not repeated", async (_, argv) => {
    const { code, out, err } = await run([...argv, "--out", target()]);
    expect(code).toBe(2);
    expect(err).toContain("looks like a private key or a recovery phrase");
    expect(out + err).not.toMatch(/0123456789abcdef|abandon/);
    expect(await readdir(folder)).toEqual(["bin"]);
  });

  test.each<[string[], string]>([
    [["--price", "0"], "price"],
    [["--price", "cheap"], "price"],
    [["--port", "70000"], "port"],
    [["--network", "mars"], "network"],
    [["--network", "bsc"], "endpoint"],
    [["--backend", "magic"], "backend"],
    [["--backend", "llama"], "gguf"],
    [["--backend", "openai"], "inference-url"],
    [["--inference-url", "ftp://x"], "inference-url"],
    [["--inference-url", "http://u:p@x/v1"], "inference-url"],
    [["--inference-url", nowhere], "inference-model"],
    [["--address", "0x12"], "address"],
    [["--model", "x".repeat(65), "--backend", "echo"], "model"],
    [["--model", 'a"b', "--backend", "echo"], "MODEL_NAME"],
  ])("error: %j names what is wrong", async (argv, param) => {
    expect((await json([...argv, "--out", target()])).error).toMatchObject({ code: expect.stringMatching(/^BAD_/), param });
    expect(await readdir(folder)).toEqual(["bin"]);
  });

  test("error: a model that the server does not offer: says what it offers", async () => {
    const ollama = await serving(tags("a", "b"));
    const { error } = await json(["--inference-model", "c", "--out", target()], { ollama });
    expect(error).toMatchObject({ param: "inference-model", hint: "It offers: a, b." });
  });
});
