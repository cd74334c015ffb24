import path from "node:path";
import type { NextConfig } from "next";

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  transpilePackages: ["@clawcompute/lib"],
  turbopack: { root: path.join(import.meta.dirname, "..") },
  // Two builds at once (a network beside a test) need folders of their own.
  distDir: process.env.NEXT_DIST_DIR ?? ".next",
  // The policy for content has a nonce, so it is made per request: proxy.ts.
  headers: async () => [
    {
      source: "/:path*",
      headers: [
        { key: "x-content-type-options", value: "nosniff" },
        { key: "x-frame-options", value: "DENY" },
        { key: "referrer-policy", value: "no-referrer" },
        { key: "cross-origin-opener-policy", value: "same-origin-allow-popups" },
        { key: "cross-origin-resource-policy", value: "same-origin" },
        { key: "permissions-policy", value: "camera=(), microphone=(), geolocation=(), payment=(), usb=()" },
      ],
    },
  ],
};

export default config;
