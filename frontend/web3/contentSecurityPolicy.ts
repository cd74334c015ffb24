import type { Network } from "@clawcompute/lib/config/network";

export interface PolicyOptions {
  readonly nonce: string;
  readonly network: Pick<Network, "rpcUrls" | "wsUrl" | "isLocal">;
  /** The development server compiles in the page and speaks over a socket. */
  readonly isDevelopment: boolean;
  readonly hasWalletConnect: boolean;
}

const loopback = "http://127.0.0.1:* http://localhost:* ws://127.0.0.1:* ws://localhost:*";
const walletConnect = "https://*.walletconnect.com https://*.walletconnect.org wss://*.walletconnect.com wss://*.walletconnect.org";

/**
 * Scripts run only with this answer's nonce (and what they load themselves). A provider may be anywhere, since its endpoint comes from
 * the chain: on a public chain the page may call any https address, on a local one nothing but this machine. Style attributes are
 * allowed, since heights and positions are computed; style elements need the nonce.
 */
export function contentSecurityPolicy({ nonce, network, isDevelopment, hasWalletConnect }: PolicyOptions): string {
  const rpc = [...network.rpcUrls, ...(network.wsUrl ? [network.wsUrl] : [])].map((url) => new URL(url).origin);
  const providers = network.isLocal ? loopback : "https:";
  const policy: Record<string, string> = {
    "default-src": "'none'",
    "script-src": `'self' 'nonce-${nonce}' 'strict-dynamic'${isDevelopment ? " 'unsafe-eval'" : ""}`,
    "style-src": isDevelopment ? "'self' 'unsafe-inline'" : `'self' 'nonce-${nonce}'`,
    "style-src-attr": "'unsafe-inline'",
    "img-src": `'self' data: blob:${hasWalletConnect ? " https://*.walletconnect.com" : ""}`,
    "font-src": "'self'",
    "connect-src": `'self' ${[...new Set(rpc)].join(" ")} ${providers}${hasWalletConnect ? ` ${walletConnect}` : ""}`,
    "frame-src": hasWalletConnect ? "https://*.walletconnect.com https://*.walletconnect.org" : "'none'",
    "manifest-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
  };
  return Object.entries(policy)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");
}
