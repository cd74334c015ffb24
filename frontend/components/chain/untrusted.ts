/** Text that a stranger wrote on the chain: no control or direction characters, bounded. */
export function untrusted(text: string, maxLength = 64): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").trim();
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
}

export const shortAddress = (address: string): string => `${address.slice(0, 6)}…${address.slice(-4)}`;

/**
 * Where a provider can be asked, or undefined when a page must not: only http(s), no credentials in it, and on a public chain no
 * address inside the reader's own network.
 */
export function endpointOf(endpoint: string, isLocalChain: boolean): URL | undefined {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol) || url.username || url.password) return undefined;
  if (!isLocalChain && (url.protocol !== "https:" || isPrivateHost(url.hostname))) return undefined;
  url.search = "";
  url.hash = "";
  url.pathname = url.pathname.replace(/\/+$/, "").replace(/\/(inference|v1\/chat\/completions|v1)$/, "");
  return url;
}

function isPrivateHost(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  if (name.includes(":")) return !/^[23]/.test(name);
  if (/^\d+(\.\d+){3}$/.test(name))
    return /^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])|2(2[4-9]|[3-5]\d))\./.test(name);
  return !name.includes(".") || /\.(localhost|local|internal|lan|home|arpa)$/.test(name);
}

/** The same for an answer: line breaks stay, the length is free. */
export const untrustedBlock = (text: string): string => text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "");
