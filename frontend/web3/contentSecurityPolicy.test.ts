import { describe, expect, it } from "vitest";
import { contentSecurityPolicy } from "./contentSecurityPolicy.ts";

const part = (policy: string, name: string) => policy.split("; ").find((row) => row.startsWith(`${name} `));

describe("contentSecurityPolicy", () => {
  const local = { rpcUrls: ["http://127.0.0.1:8545"], isLocal: true };
  const bsc = { rpcUrls: ["https://rpc.example/key", "https://two.example"], wsUrl: "wss://ws.example/x", isLocal: false };
  const plain = { nonce: "n1", isDevelopment: false, hasWalletConnect: false };

  it("behavior: scripts run with the nonce only, never inline or by eval", () => {
    const policy = contentSecurityPolicy({ ...plain, network: local });
    expect(part(policy, "script-src")).toBe("script-src 'self' 'nonce-n1' 'strict-dynamic'");
    expect(part(policy, "default-src")).toBe("default-src 'none'");
  });

  it("behavior: on the local chain nothing but this machine is called", () => {
    const allowed =
      part(contentSecurityPolicy({ ...plain, network: local }), "connect-src")
        ?.split(" ")
        .slice(1) ?? [];
    expect(allowed.every((source) => /^('self'|(http|ws):\/\/(127\.0\.0\.1|localhost):(\d+|\*))$/.test(source))).toBe(true);
  });

  it("behavior: on a public chain the RPC endpoints by origin, providers by https", () => {
    expect(part(contentSecurityPolicy({ ...plain, network: bsc }), "connect-src")).toBe(
      "connect-src 'self' https://rpc.example https://two.example wss://ws.example https:",
    );
  });

  it("behavior: WalletConnect's hosts only where it is set up", () => {
    const without = contentSecurityPolicy({ ...plain, network: bsc });
    const withIt = contentSecurityPolicy({ ...plain, network: bsc, hasWalletConnect: true });
    expect([without.includes("walletconnect"), withIt.includes("wss://*.walletconnect.org")]).toEqual([false, true]);
  });
});
