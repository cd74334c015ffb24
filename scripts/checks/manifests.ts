// The container file, the compose files and the Kubernetes manifests: by their schemas, with references that lead somewhere and settings that exist.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { networkSettings } from "@clawcompute/lib/config/network";
import type { z } from "zod/v4";
import { settings as clawSettings } from "../../agents/claw/config.ts";
import { settings as gatewaySettings } from "../../agents/gateway/config.ts";
import { settings as serveSettings } from "../../agents/gateway/serve/config.ts";
import { settings as indexerSettings } from "../../agents/indexer/config.ts";
import { settings as keeperSettings } from "../../agents/keeper/config.ts";
import { settings as providerSettings } from "../../agents/provider/config.ts";
import { settings as walletSettings } from "../../agents/wallet/config.ts";
import { composeSchema, kubernetesSchemas, kustomizationSchema } from "./manifestSchemas.ts";

type Tree = { readonly [key: string]: unknown };
interface Manifest {
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  readonly body: Tree;
}

const { load, loadAll } = createRequire(import.meta.url)("js-yaml") as { load(text: string): unknown; loadAll(text: string): unknown[] };
const deploy = join(import.meta.dirname, "../../deploy");
const folder = join(deploy, "kubernetes");
const namesOf = (settings: Readonly<Record<string, { readonly name: string }>>) => Object.values(settings).map(({ name }) => name);
const shared = namesOf(networkSettings);
const programs: Readonly<Record<string, ReadonlySet<string>>> = {
  indexer: new Set([...shared, ...namesOf(indexerSettings)]),
  provider: new Set([...shared, ...namesOf(providerSettings)]),
  keeper: new Set([...shared, ...namesOf(keeperSettings)]),
  gateway: new Set([...shared, ...[gatewaySettings, serveSettings, walletSettings, clawSettings].flatMap(namesOf)]),
};

let wrong = 0;
const complain = (where: string, what: string) => {
  wrong += 1;
  console.error(`${where}: ${what}`);
};

const at = (tree: unknown, ...path: string[]): unknown => path.reduce((node, key) => (node as Tree | undefined)?.[key], tree);
const list = (value: unknown): Tree[] => (Array.isArray(value) ? (value as Tree[]) : []);
const fits = (where: string, schema: z.ZodType, value: unknown) => {
  const { error } = schema.safeParse(value);
  for (const { path, message } of error?.issues ?? []) complain([where, path.join(".")].filter(Boolean).join(": "), message);
};

const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
const manifests: Manifest[] = files
  .filter((file) => file !== "kustomization.yaml")
  .flatMap((file) =>
    (loadAll(readFileSync(join(folder, file), "utf8")) as Tree[]).map((body) => ({
      file,
      kind: String(body.kind),
      name: String(at(body, "metadata", "name")),
      body,
    })),
  );
const find = (kind: string, name: unknown) => manifests.find((manifest) => manifest.kind === kind && manifest.name === name);
const keysOf = (kind: "ConfigMap" | "Secret", name: unknown) =>
  Object.keys((find(kind, name)?.body[kind === "Secret" ? "stringData" : "data"] as Tree | undefined) ?? {});
const pods = manifests.filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet");
const labelsOf = (pod: Manifest) => (at(pod.body, "spec", "template", "metadata", "labels") as Tree | undefined) ?? {};
const selected = (selector: unknown) =>
  pods.filter((pod) => Object.entries((selector as Tree) ?? { "": 1 }).every(([key, value]) => labelsOf(pod)[key] === value));

for (const { file, kind, name, body } of manifests) {
  const where = `${file}: ${kind} ${name}`;
  const schema = kubernetesSchemas[kind];
  if (!schema) {
    complain(where, "this kind is not known");
    continue;
  }
  fits(where, schema, body);
  if (manifests.filter((other) => other.kind === kind && other.name === name).length > 1) complain(where, "is there twice");
  if (kind === "Service") checkService(where, body);
  if (kind === "PodDisruptionBudget" && selected(at(body, "spec", "selector", "matchLabels")).length === 0)
    complain(where, "selects nothing");
  if (kind === "Ingress") checkIngress(where, body);
  if (kind === "Deployment" || kind === "StatefulSet") checkPods(where, body);
}

function checkService(where: string, body: Tree): void {
  const behind = selected(at(body, "spec", "selector"));
  if (behind.length !== 1) complain(where, `selects ${behind.length} kinds of pods`);
  const named = behind.flatMap((pod) =>
    list(at(pod.body, "spec", "template", "spec", "containers")).flatMap((container) => list(container.ports).map((port) => port.name)),
  );
  for (const port of list(at(body, "spec", "ports")))
    if (!named.includes(port.targetPort)) complain(where, `no pod has a port ${port.targetPort}`);
}

function checkIngress(where: string, body: Tree): void {
  const hosts = list(at(body, "spec", "tls")).flatMap((tls) => tls.hosts as string[]);
  for (const rule of list(at(body, "spec", "rules"))) {
    if (!hosts.includes(String(rule.host))) complain(where, `${rule.host} has no certificate`);
    for (const path of list(at(rule, "http", "paths"))) {
      const service = find("Service", at(path, "backend", "service", "name"));
      const ports = list(at(service?.body, "spec", "ports")).map((port) => port.name);
      if (!ports.includes(at(path, "backend", "service", "port", "name"))) complain(where, `${rule.host} leads to no service's port`);
    }
  }
}

function checkPods(where: string, body: Tree): void {
  const template = at(body, "spec", "template");
  const labels = (at(template, "metadata", "labels") as Tree | undefined) ?? {};
  for (const [key, value] of Object.entries((at(body, "spec", "selector", "matchLabels") as Tree | undefined) ?? { "": "" })) {
    if (labels[key] !== value) complain(where, "its selector does not match its own pods");
  }
  const spec = at(template, "spec") as Tree;
  for (const volume of list(spec.volumes)) {
    const secret = at(volume, "secret", "secretName");
    if (secret !== undefined && !find("Secret", secret)) complain(where, `there is no secret ${secret}`);
  }
  const volumes = [
    ...list(spec.volumes).map(({ name }) => name),
    ...list(at(body, "spec", "volumeClaimTemplates")).map((claim) => at(claim, "metadata", "name")),
  ];
  for (const container of list(spec.containers)) {
    const inside = `${where}: ${container.name}`;
    const ports = list(container.ports).map((port) => port.name);
    for (const probe of ["readinessProbe", "livenessProbe", "startupProbe"]) {
      const port = at(container, probe, "httpGet", "port");
      if (port !== undefined && !ports.includes(port)) complain(inside, `its ${probe} asks a port that it does not have`);
    }
    for (const mount of list(container.volumeMounts))
      if (!volumes.includes(mount.name)) complain(inside, `there is no volume ${mount.name}`);
    checkSettings(inside, container);
  }
}

function checkSettings(where: string, container: Tree): void {
  const given: string[] = [];
  for (const source of list(container.envFrom)) {
    const [kind, name] = source.secretRef
      ? (["Secret", at(source, "secretRef", "name")] as const)
      : (["ConfigMap", at(source, "configMapRef", "name")] as const);
    if (!find(kind, name)) complain(where, `there is no ${kind} ${name}`);
    given.push(...keysOf(kind, name));
  }
  const texts = list(container.env).map(({ value }) => String(value ?? ""));
  for (const variable of list(container.env)) {
    // What only builds another value is none of the program's.
    if (texts.some((text) => text.includes(`$(${variable.name})`))) continue;
    given.push(String(variable.name));
    const [secret, key] = [at(variable, "valueFrom", "secretKeyRef", "name"), at(variable, "valueFrom", "secretKeyRef", "key")];
    if (secret !== undefined && !keysOf("Secret", secret).includes(String(key))) complain(where, `the secret ${secret} has no ${key}`);
    const [map, entry] = [at(variable, "valueFrom", "configMapKeyRef", "name"), at(variable, "valueFrom", "configMapKeyRef", "key")];
    if (map !== undefined && !keysOf("ConfigMap", map).includes(String(entry))) complain(where, `the config ${map} has no ${entry}`);
  }
  const [, entry, program] = list(container.command) as unknown as string[];
  if (entry !== "agents/cli.ts") return;
  const known = programs[program ?? ""];
  if (!known) complain(where, `there is no claw ${program}`);
  for (const name of given) if (known && !known.has(name)) complain(where, `claw ${program} reads no ${name}`);
}

const kustomization = load(readFileSync(join(folder, "kustomization.yaml"), "utf8")) as Tree;
fits("kustomization.yaml", kustomizationSchema, kustomization);
const wanted = files.filter((file) => file !== "kustomization.yaml" && !file.includes(".example."));
const listed = (kustomization.resources as string[]) ?? [];
for (const file of wanted) if (!listed.includes(file)) complain("kustomization.yaml", `${file} is not listed`);
for (const file of listed) if (!wanted.includes(file)) complain("kustomization.yaml", `there is no ${file}`);
if (!find("Namespace", kustomization.namespace)) complain("kustomization.yaml", "its namespace is not made");

let services = 0;
for (const file of ["compose.yaml", "compose.scale.yaml"]) {
  const compose = load(readFileSync(join(deploy, file), "utf8")) as Tree;
  fits(file, composeSchema, compose);
  const all = (compose.services as Record<string, Tree> | undefined) ?? {};
  const named = (key: string) => Object.keys((compose[key] as Tree | undefined) ?? {});
  for (const [name, service] of Object.entries(all)) {
    services += 1;
    const where = `${file}: ${name}`;
    const needs = service.depends_on ?? {};
    for (const other of Array.isArray(needs) ? needs : Object.keys(needs as Tree))
      if (!(other in all)) complain(where, `depends on ${other}, which is not there`);
    for (const volume of (service.volumes as string[] | undefined) ?? []) {
      const source = volume.split(":")[0] ?? "";
      if (source.startsWith("./")) {
        if (!existsSync(join(deploy, source))) complain(where, `there is no file ${source}`);
      } else if (!named("volumes").includes(source)) complain(where, `there is no volume ${source}`);
    }
    for (const { source } of list(service.configs))
      if (!named("configs").includes(String(source))) complain(where, `there is no config ${source}`);
    const dockerfile = at(service, "build", "dockerfile");
    if (dockerfile !== undefined && !existsSync(join(deploy, "..", String(dockerfile)))) complain(where, `there is no ${dockerfile}`);
    const known = programs[name];
    for (const variable of Object.keys((service.environment as Tree | undefined) ?? {})) {
      if (known && !known.has(variable)) complain(where, `claw ${name} reads no ${variable}`);
    }
  }
}

const dockerfile = readFileSync(join(deploy, "Dockerfile"), "utf8");
const instructions = dockerfile
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line && !line.startsWith("#"))
  .map((line) => line.split(" ") as [instruction: string, ...rest: string[]]);
const lastOf = (name: string) => instructions.findLast(([instruction]) => instruction === name)?.slice(1);
const [base = ""] = lastOf("FROM") ?? [];
if (!/^node:\d+\.\d+\.\d+-[a-z]+-slim$/.test(base)) complain("Dockerfile", `its base image ${base} is not pinned to one version`);
if (!lastOf("USER") || ["root", "0"].includes(lastOf("USER")?.[0] ?? "")) complain("Dockerfile", "its program runs as root");
for (const needed of ["HEALTHCHECK", "STOPSIGNAL", "CMD"]) if (!lastOf(needed)) complain("Dockerfile", `it has no ${needed}`);
for (const [instruction, ...rest] of instructions) {
  if (instruction !== "COPY") continue;
  for (const path of rest.slice(0, -1)) if (!existsSync(join(deploy, "..", path))) complain("Dockerfile", `there is no ${path} to copy`);
}

console.log(
  wrong
    ? `${wrong} faults in the manifests`
    : `${manifests.length} manifests and ${services} compose services fit their schemas and each other`,
);
process.exitCode = wrong ? 1 : 0;
