import { type NextRequest, NextResponse } from "next/server";
import { contentSecurityPolicy } from "@/web3/contentSecurityPolicy.ts";
import { runtimeConfig, runtimeNetwork } from "@/web3/runtimeNetwork.ts";

/** Every page gets a nonce and a policy of its own; Next puts the nonce on the scripts that it writes. */
export function proxy(request: NextRequest): NextResponse {
  const nonce = crypto.randomUUID().replaceAll("-", "");
  const policy = contentSecurityPolicy({
    nonce,
    network: runtimeNetwork(),
    isDevelopment: process.env.NODE_ENV === "development",
    hasWalletConnect: runtimeConfig().walletConnectProjectId !== undefined,
  });
  const headers = new Headers(request.headers);
  headers.set("x-nonce", nonce);
  headers.set("content-security-policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  return response;
}

// Files and the API are no pages.
export const config = { matcher: ["/((?!api/|_next/|icon.svg).*)"] };
