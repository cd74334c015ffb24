import path from "node:path";
import type { NextConfig } from "next";

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  transpilePackages: ["@clawcompute/lib"],
  turbopack: { root: path.join(import.meta.dirname, "..") },
  // Two builds at once (a network beside a test) need folders of their own.
  distDir: process.env.NEXT_DIST_DIR ?? ".next",
};

export default config;
