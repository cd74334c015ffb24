/** True for an address that only its own machine understands. What is no http(s) URL counts as local: it helps nobody. */
export function isLocalEndpoint(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return true;
  const { hostname, protocol } = new URL(endpoint);
  if (protocol !== "http:" && protocol !== "https:") return true;
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\])$/i.test(hostname);
}
