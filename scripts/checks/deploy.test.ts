import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createApp, createLogger, createMetrics } from "@clawcompute/lib/node";
import { describe, expect, test } from "vitest";
import { createAnswerMetrics } from "../../agents/provider/answerMetrics.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const documented = new Set([...read(".env.example").matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name));

describe("deploy", () => {
  test("behavior: the dashboard shows only numbers that a provider reports, with labels they have", async () => {
    const metrics = createMetrics("provider");
    createAnswerMetrics(metrics);
    createApp({ logger: createLogger({ name: "t", level: "silent" }), metrics });
    const reported = new Map((await metrics.registry.getMetricsAsJSON()).map(({ name, type }) => [name, String(type)]));
    const { panels } = JSON.parse(read("deploy/grafana-provider.json")) as { panels: { targets: { expr: string }[] }[] };
    const used = panels.flatMap(({ targets }) => targets).flatMap(({ expr }) => expr.match(/\b(clawcompute|process|nodejs)_\w+/g) ?? []);
    expect(used.length).toBeGreaterThan(12);
    const base = (name: string) => (reported.has(name) ? name : name.replace(/_(bucket|count|sum)$/, ""));
    expect(used.filter((name) => !reported.has(base(name)))).toEqual([]);
    expect(used.filter((name) => name !== base(name) && reported.get(base(name)) !== "histogram")).toEqual([]);
  });

  test.each([
    ["deploy/compose.yaml", ["ENGINE_URL", "VLLM_MODEL", "HF_TOKEN"]],
    ["deploy/clawcompute-provider.service", ["NODE_ENV"]],
    [
      "deploy/Dockerfile",
      ["NODE_ENV", "FROM", "CMD", "ENV", "RUN", "COPY", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "WORKDIR"],
    ],
  ])("behavior: every setting that %s names is documented", (path, own) => {
    const code = read(path).replaceAll(/^\s*#.*$/gm, "");
    const names = [...code.matchAll(/\b([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)\b/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(1);
    expect(names.filter((name) => !documented.has(name ?? "") && !own.includes(name ?? "") && !/^(AF|SIG|CAP)_/.test(name ?? ""))).toEqual(
      [],
    );
  });
});
