import { expect, test } from "vitest";
import { address, amount, choice, flag, integer, list, optional, privateKey, readSettings, secret, text, url } from "./env.ts";

const settings = {
  port: integer("PORT", { describe: "port", fallback: "8700", min: 0, max: 65_535 }),
  price: amount("PRICE_PER_SECOND", { describe: "price", fallback: "0.0001" }),
  backend: choice("BACKEND", { describe: "engine", fallback: "echo", of: ["echo", "llama"] }),
  rpc: list(url("RPC_URL", { describe: "chain", fallback: "http://127.0.0.1:8545" })),
  key: optional(privateKey("PRIVATE_KEY", { describe: "key" })),
  apiKey: optional(secret("API_KEY", { describe: "key" })),
  model: text("MODEL_NAME", { describe: "model", fallback: "m", maxLength: 64 }),
  drain: flag("DRAIN", { describe: "drain", fallback: "0" }),
  payee: optional(address("PAYEE", { describe: "payee" })),
};

test("behavior: absent and empty mean default", () => {
  expect(readSettings(settings, { PORT: "", MODEL_NAME: "  " })).toEqual({
    port: 8700,
    price: 100_000_000_000_000n,
    backend: "echo",
    rpc: ["http://127.0.0.1:8545"],
    key: undefined,
    apiKey: undefined,
    model: "m",
    drain: false,
    payee: undefined,
  });
});

test("behavior: several endpoints, trailing slash dropped", () => {
  expect(readSettings(settings, { RPC_URL: "https://a.example/, http://b.example/x " }).rpc).toEqual([
    "https://a.example",
    "http://b.example/x",
  ]);
});

test.each([
  [{ PORT: "70000" }, "PORT: must be a whole number from 0 to 65535"],
  [{ PORT: "8700.5" }, "PORT: must be a whole number from 0 to 65535"],
  [{ PRICE_PER_SECOND: "free" }, "PRICE_PER_SECOND: must be a decimal amount such as 0.0001"],
  [{ BACKEND: "gpt" }, "BACKEND: must be one of echo, llama"],
  [{ RPC_URL: "ftp://x" }, "RPC_URL: must be a URL starting with http: or https:"],
  [{ MODEL_NAME: "m".repeat(65) }, "MODEL_NAME: is longer than 64 characters"],
  [{ DRAIN: "maybe" }, "DRAIN: must be 1 or 0"],
  [{ PAYEE: "0x12" }, "PAYEE: must be a 0x-prefixed address of 20 bytes"],
  [{ API_KEY: "your-key-here" }, "API_KEY: still holds a placeholder"],
])("error: %j refuses to start", (env, message) => {
  expect(() => readSettings(settings, env)).toThrow(
    expect.objectContaining({ code: "CONFIG_INVALID", message, param: Object.keys(env)[0] }),
  );
});

test("error: a wrong key is named but never shown (P12)", () => {
  const wrong = "0xdeadbeefdeadbeef";
  try {
    readSettings(settings, { PRIVATE_KEY: wrong });
    expect.unreachable();
  } catch (error) {
    expect((error as Error).message).toBe("PRIVATE_KEY: must be a private key: 32 bytes in hex");
    expect(JSON.stringify(error)).not.toContain("deadbeef");
  }
});

test("error: a required setting says what it is", () => {
  expect(() => readSettings({ key: privateKey("PRIVATE_KEY", { describe: "the wallet's key" }) }, {})).toThrow(
    expect.objectContaining({ code: "CONFIG_INVALID", message: "PRIVATE_KEY: is required", hint: "Set PRIVATE_KEY: the wallet's key." }),
  );
});
