import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type FormFactor = "mobile" | "desktop";

export interface Judgement {
  /** 0 to 100, by category. */
  readonly scores: Readonly<Record<string, number>>;
  readonly milliseconds: Readonly<Record<string, number>>;
}

const flags =
  "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update";
const metrics = { "first-contentful-paint": "first paint", "largest-contentful-paint": "largest paint", "total-blocking-time": "blocked" };
const chromium = () =>
  [process.env.CHROMIUM_PATH, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
    (path) => path && existsSync(path),
  );

const ATTEMPTS = 3;

/**
 * Lighthouse's defaults: a slow phone on a slow line, or a desktop, both simulated. On a busy machine the browser's trace may miss its
 * beginning: then it is taken again. Throws with Lighthouse's own words when it cannot.
 */
export function judge(url: string, form: FormFactor, folder: string, attempt = 1): Judgement {
  const output = join(folder, "lighthouse.json");
  const browser = chromium();
  if (!browser) throw new Error("No Chromium or Chrome was found; set CHROMIUM_PATH to its program file.");
  const run = spawnSync(
    process.execPath,
    [
      join(import.meta.dirname, "node_modules/lighthouse/cli/index.js"),
      url,
      "--quiet",
      "--output=json",
      `--output-path=${output}`,
      "--only-categories=performance,accessibility,best-practices",
      `--chrome-flags=${flags}`,
      ...(form === "desktop" ? ["--preset=desktop"] : []),
    ],
    { env: { ...process.env, CHROME_PATH: browser }, encoding: "utf8", timeout: 120_000 },
  );
  if (run.status !== 0) {
    if (attempt < ATTEMPTS) return judge(url, form, folder, attempt + 1);
    throw new Error(`Lighthouse failed on ${url}:\n${run.stderr}`);
  }
  const { categories, audits } = JSON.parse(readFileSync(output, "utf8")) as {
    categories: Record<string, { score: number | null }>;
    audits: Record<string, { title: string; score: number | null; numericValue?: number }>;
  };
  for (const [id, { score, title }] of Object.entries(audits)) {
    if (score !== null && score < 0.9) console.error(`  ${form} ${url}: ${id} ${score}: ${title}`);
  }
  return {
    scores: Object.fromEntries(Object.entries(categories).map(([id, { score }]) => [id, Math.round((score ?? 0) * 100)])),
    milliseconds: Object.fromEntries(Object.entries(metrics).map(([id, name]) => [name, audits[id]?.numericValue ?? 0])),
  };
}
