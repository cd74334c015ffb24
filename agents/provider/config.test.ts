import { describe, expect, test } from "vitest";
import { readConfig } from "./config.ts";

const noFile = () => {
  throw Object.assign(new Error("no"), { code: "ENOENT" });
};
const read = (env: Record<string, string>, file: (path: string) => string = noFile) => readConfig(env, file);
const groq = { GROQ_API_KEY: "gsk_0123456789012345678901234567" };

describe("readConfig", () => {
  test("behavior: little is needed", () => {
    expect(read(groq)).toMatchObject({
      listenPort: 3001,
      network: { name: "local", chainId: 31337 },
      offers: [
        {
          model: "llama-3.3-70b-versatile",
          pricePerSecond: 100_000_000_000_000n,
          serviceType: 0,
          maxConcurrency: 16,
          backend: { kind: "groq" },
        },
      ],
    });
  });

  test("behavior: the engine is the one whose settings are there, unless it is named", () => {
    expect(read({ GGUF_PATH: "/m.gguf" }).offers[0]).toMatchObject({
      maxConcurrency: 2,
      backend: { kind: "llama", ggufPath: "/m.gguf", slots: 2 },
    });
    expect(read({ INFERENCE_URL: "http://127.0.0.1:11434/v1", MODEL_NAME: "qwen" }).offers[0]?.backend).toEqual({
      kind: "openai",
      baseUrl: "http://127.0.0.1:11434/v1",
      model: "qwen",
    });
    expect(read({ ...groq, BACKEND: "echo" }).offers[0]?.backend).toEqual({ kind: "echo" });
  });

  test("behavior: the embedded engine's context, threads and GPU are the operator's", () => {
    const engine = { kind: "llama", ggufPath: "/m.gguf", contextTokens: 32_768, threads: 8, gpu: "auto" };
    const env = { GGUF_PATH: "/m.gguf", LLAMA_CONTEXT_TOKENS: "32768", LLAMA_THREADS: "8", LLAMA_GPU: "auto" };
    expect(read(env).offers[0]?.backend).toEqual({ ...engine, slots: 2 });
    const offer = {
      model: "m",
      pricePerSecond: "1",
      backend: "llama",
      ggufPath: "/m.gguf",
      engineContextTokens: 32_768,
      threads: 8,
      gpu: "auto",
    };
    expect(read({ PROVIDER_OFFERS: "offers.json" }, () => JSON.stringify([offer])).offers[0]?.backend).toEqual({ ...engine, slots: 2 });
  });

  test("behavior: PORT is read where PROVIDER_PORT is not set", () => {
    expect(read({ ...groq, PORT: "8080" }).listenPort).toBe(8080);
    expect(read({ ...groq, PORT: "8080", PROVIDER_PORT: "0" }).listenPort).toBe(0);
  });

  test("behavior: BSC_TESTNET_RPC chooses its network, and nothing on another one", () => {
    const contracts = {
      REGISTRY_ADDRESS: `0x${"1".repeat(40)}`,
      STREAM_PAY_ADDRESS: `0x${"2".repeat(40)}`,
      PAYMENT_CHANNEL_ADDRESS: `0x${"3".repeat(40)}`,
    };
    const rpc = { BSC_TESTNET_RPC: "https://rpc.example" };
    expect(read({ ...groq, ...contracts, ...rpc }).network).toMatchObject({ chainId: 97, rpcUrls: ["https://rpc.example"] });
    expect(read({ ...groq, ...rpc, NETWORK: "local" }).network).toMatchObject({ chainId: 31337, rpcUrls: ["http://127.0.0.1:8545"] });
  });

  test("behavior: several offers come from a file, their keys from the environment", () => {
    const file = JSON.stringify([
      { model: "a", pricePerSecond: "0.5", backend: "echo" },
      {
        model: "b",
        pricePerSecond: "0.000001",
        decimals: 6,
        backend: "openai",
        inferenceUrl: "https://x.example/v1",
        apiKeyEnv: "B_KEY",
        endpoint: "https://b.example",
      },
    ]);
    expect(read({ PROVIDER_OFFERS: "offers.json", B_KEY: "k" }, () => file).offers).toMatchObject([
      { model: "a", pricePerSecond: 500_000_000_000_000_000n, backend: { kind: "echo" } },
      { model: "b", pricePerSecond: 1n, endpoint: "https://b.example", backend: { kind: "openai", apiKey: "k" } },
    ]);
  });

  test.each([
    [{}, "GROQ_API_KEY", "is required for BACKEND=groq"],
    [{ GROQ_API_KEY: "your-groq-key" }, "GROQ_API_KEY", "still holds a placeholder"],
    [{ BACKEND: "llama" }, "GGUF_PATH", "is required for BACKEND=llama"],
    [{ BACKEND: "openai" }, "INFERENCE_URL", "is required for BACKEND=openai"],
    [{ ...groq, PRICE_PER_SECOND: "free" }, "PRICE_PER_SECOND", "must be a decimal amount"],
    [{ ...groq, PRICE_PER_SECOND: "0" }, "PRICE_PER_SECOND", "must be above zero"],
    [{ ...groq, PROVIDER_PORT: "70000" }, "PROVIDER_PORT", "must be a whole number from 0 to 65535"],
    [{ ...groq, PROVIDER_PRIVATE_KEY: "0x12" }, "PROVIDER_PRIVATE_KEY", "must be a private key"],
    [{ ...groq, SERVICE_TYPE: "7" }, "SERVICE_TYPE", "must be a whole number from 0 to 3"],
    [{ PROVIDER_OFFERS: "missing.json" }, "PROVIDER_OFFERS", "cannot read missing.json (ENOENT)"],
  ])("error: %o", (env, param, reason) => {
    expect(() => read(env as Record<string, string>)).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", param, message: expect.stringContaining(reason) }),
    );
  });

  test.each([
    ["[]", "needs at least one offer"],
    ["{", "is not JSON"],
    ['[{"model":"a","pricePerSecond":"1","backend":"echo","privateKey":"x"}]', "privateKey"],
    ['[{"model":"a","pricePerSecond":"0","backend":"echo"}]', "must be above zero"],
    ['[{"model":"a","pricePerSecond":"1","backend":"openai","inferenceUrl":"http://x.example","apiKeyEnv":"NOT_SET"}]', "NOT_SET"],
  ])("error: an offers file with %s", (file, reason) => {
    expect(() => read({ PROVIDER_OFFERS: "f" }, () => file)).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringContaining(reason) }),
    );
  });

  test("error: an offer without a model is refused on a public chain unless it is allowed", () => {
    const contracts = {
      REGISTRY_ADDRESS: `0x${"1".repeat(40)}`,
      STREAM_PAY_ADDRESS: `0x${"2".repeat(40)}`,
      PAYMENT_CHANNEL_ADDRESS: `0x${"3".repeat(40)}`,
    };
    const env = { NETWORK: "bsc-testnet", BACKEND: "echo", ...contracts };
    expect(() => read(env)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", param: "BACKEND" }));
    expect(read({ ...env, ALLOW_ECHO_ON_PUBLIC_CHAIN: "1" }).offers[0]?.backend.kind).toBe("echo");
  });
});
