import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { z } from "zod/v4";
import { composeSchema, kubernetesSchemas } from "./manifestSchemas.ts";

const { load, loadAll } = createRequire(import.meta.url)("js-yaml") as { load(text: string): unknown; loadAll(text: string): unknown[] };
const textOf = (file: string) => readFileSync(join(import.meta.dirname, "../../deploy", file), "utf8");
const pathsOf = (schema: z.ZodType, value: unknown) => schema.safeParse(value).error?.issues.map(({ path }) => path.join(".")) ?? [];

/** The indexer's deployment with one thing changed in its text. */
function deployment(from: string, to: string): unknown {
  const text = textOf("kubernetes/indexer.yaml");
  expect(text).toContain(from);
  return loadAll(text.replace(from, to)).find((body) => (body as { kind: string }).kind === "Deployment");
}

describe("kubernetesSchemas", () => {
  const container = "spec.template.spec.containers.0";
  it.each([
    ["replicas: 3", 'replicas: "3"', "spec.replicas"],
    ["replicas: 3", "replica: 3", "spec"],
    ["apiVersion: apps/v1", "apiVersion: apps/v1beta1", "apiVersion"],
    ["containerPort: 8790", "containerPort: 87900", `${container}.ports.0.containerPort`],
    ["runAsNonRoot: true", "runAsNonRoot: false", "spec.template.spec.securityContext.runAsNonRoot"],
    ["image: clawcompute:latest", "image: clawcompute", `${container}.image`],
    ["image: clawcompute:latest", "image: postgres:latest", `${container}.image`],
    ["memory: 1Gi", "memory: 1GB", `${container}.resources.limits.memory`],
    ["readinessProbe:", "readynessProbe:", `${container}.readinessProbe`],
    ['value: "8790"', "value: 8790", `${container}.env.1`],
    ["allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", `${container}.securityContext.allowPrivilegeEscalation`],
  ])("error: %s as %s", (from, to, path) => {
    const schema = kubernetesSchemas.Deployment as z.ZodType;
    expect(pathsOf(schema, deployment(from, from))).toEqual([]);
    expect(pathsOf(schema, deployment(from, to))).toContain(path);
  });
});

describe("composeSchema", () => {
  it.each([
    ["restart: unless-stopped", "restart: sometimes", "services.indexer.restart"],
    ["interval: 5s", "interval: 5", "services.postgres.healthcheck"],
    ["depends_on: [provider, indexer]", "depend_on: [provider, indexer]", "services.balancer"],
    ["image: nginx:1.27-bookworm", "image: nginx:latest", "services.balancer.image"],
    ["deploy: { replicas: 3 }", "deploy: { replicas: many }", "services.indexer.deploy.replicas"],
    ["\nvolumes:\n", "\nvolume:\n", ""],
  ])("error: %s as %s", (from, to, path) => {
    const text = textOf("compose.scale.yaml");
    expect(text).toContain(from);
    expect(pathsOf(composeSchema, load(text))).toEqual([]);
    expect(pathsOf(composeSchema, load(text.replace(from, to)))).toContain(path);
  });
});
