import { describe, expect, it } from "vitest";
import { endpointOf, untrusted } from "./untrusted.ts";

describe("untrusted", () => {
  it("behavior: direction and control characters are gone, length is bounded", () => {
    expect(untrusted("gpt\u202e4\u0000\u200b\n")).toBe("gpt4");
    expect(untrusted("x".repeat(100), 10)).toBe(`${"x".repeat(9)}…`);
  });
});

describe("endpointOf", () => {
  it("behavior: the base of a provider's routes", () => {
    expect(endpointOf("https://a.example/x/inference?y#z", false)?.href).toBe("https://a.example/x");
    expect(endpointOf("http://127.0.0.1:8701", true)?.href).toBe("http://127.0.0.1:8701/");
  });

  it.each([
    "javascript:alert(1)",
    "http://a.example",
    "https://user:word@a.example",
    "https://127.0.0.1",
    "https://10.1.2.3",
    "https://172.20.0.1",
    "https://192.168.1.1",
    "https://169.254.169.254",
    "https://100.64.0.1",
    "https://2130706433",
    "https://[::1]",
    "https://[fd00::1]",
    "https://[::ffff:127.0.0.1]",
    "https://router",
    "https://nas.local",
    "nonsense",
  ])("error: %s is not asked on a public chain", (endpoint) => expect(endpointOf(endpoint, false)).toBeUndefined());
});
