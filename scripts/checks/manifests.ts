// The Kubernetes manifests and the compose file of the large layout: known fields only, references that lead somewhere, settings that exist.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { networkSettings } from "@clawcompute/lib/config/network";
import { settings as indexerSettings } from "../../agents/indexer/config.ts";
import { settings as keeperSettings } from "../../agents/keeper/config.ts";
import { settings as providerSettings } from "../../agents/provider/config.ts";

type Tree = { readonly [key: string]: unknown };
interface Manifest {
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  readonly body: Tree;
}

const { load, loadAll } = createRequire(import.meta.url)("js-yaml") as { load(text: string): unknown; loadAll(text: string): unknown[] };
const folder = join(import.meta.dirname, "../../deploy/kubernetes");
const namesOf = (settings: Readonly<Record<string, { readonly name: string }>>) => Object.values(settings).map(({ name }) => name);
const shared = namesOf(networkSettings);
const programs: Readonly<Record<string, ReadonlySet<string>>> = {
  indexer: new Set([...shared, ...namesOf(indexerSettings)]),
  provider: new Set([...shared, ...namesOf(providerSettings)]),
  keeper: new Set([...shared, ...namesOf(keeperSettings)]),
};

let wrong = 0;
const complain = (where: string, what: string) => {
  wrong += 1;
  console.error(`${where}: ${what}`);
};

/** What Kubernetes accepts at each place, as far as it is used here; a field that is misspelt would be dropped without a word. */
const fields: Readonly<Record<string, { readonly version: string; readonly spec: readonly string[] }>> = {
  Namespace: { version: "v1", spec: [] },
  ConfigMap: { version: "v1", spec: [] },
  Secret: { version: "v1", spec: [] },
  Service: { version: "v1", spec: ["selector", "ports", "clusterIP", "type"] },
  Deployment: { version: "apps/v1", spec: ["replicas", "selector", "template", "strategy", "minReadySeconds"] },
  StatefulSet: { version: "apps/v1", spec: ["serviceName", "replicas", "selector", "template", "volumeClaimTemplates"] },
  PodDisruptionBudget: { version: "policy/v1", spec: ["minAvailable", "maxUnavailable", "selector"] },
  Ingress: { version: "networking.k8s.io/v1", spec: ["ingressClassName", "tls", "rules", "defaultBackend"] },
};
const podFields = [
  "securityContext",
  "containers",
  "volumes",
  "terminationGracePeriodSeconds",
  "serviceAccountName",
  "nodeSelector",
  "tolerations",
];
const containerFields = [
  "name",
  "image",
  "command",
  "args",
  "env",
  "envFrom",
  "ports",
  "resources",
  "securityContext",
  "volumeMounts",
].concat(["readinessProbe", "livenessProbe", "startupProbe"]);
const probeFields = ["httpGet", "exec", "tcpSocket", "periodSeconds", "failureThreshold", "timeoutSeconds", "initialDelaySeconds"];

const at = (tree: unknown, ...path: string[]): unknown => path.reduce((node, key) => (node as Tree | undefined)?.[key], tree);
const list = (value: unknown): Tree[] => (Array.isArray(value) ? (value as Tree[]) : []);
const only = (where: string, tree: unknown, known: readonly string[]) => {
  for (const key of Object.keys((tree as Tree | undefined) ?? {}))
    if (!known.includes(key)) complain(where, `the field ${key} is not known here`);
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
  const known = fields[kind];
  if (!known) {
    complain(where, "this kind is not known");
    continue;
  }
  if (body.apiVersion !== known.version) complain(where, `apiVersion must be ${known.version}`);
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) complain(where, "the name is no DNS label");
  only(where, body, ["apiVersion", "kind", "metadata", ...(known.spec.length ? ["spec"] : ["data", "stringData", "type"])]);
  only(`${where}: metadata`, body.metadata, ["name", "labels", "annotations", "namespace"]);
  only(`${where}: spec`, body.spec, known.spec);
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
  only(`${where}: pod`, spec, podFields);
  const volumes = [
    ...list(spec.volumes).map(({ name }) => name),
    ...list(at(body, "spec", "volumeClaimTemplates")).map((claim) => at(claim, "metadata", "name")),
  ];
  for (const container of list(spec.containers)) {
    const inside = `${where}: ${container.name}`;
    only(inside, container, containerFields);
    for (const probe of ["readinessProbe", "livenessProbe", "startupProbe"]) only(`${inside}: ${probe}`, container[probe], probeFields);
    if (!/^[\w./-]+:[\w.-]+$/.test(String(container.image))) complain(inside, "the image has no version");
    if (!at(container, "resources", "requests", "memory") || !at(container, "resources", "limits", "memory"))
      complain(inside, "says nothing about its memory");
    if (!container.readinessProbe) complain(inside, "has no readiness probe");
    if (at(container, "securityContext", "allowPrivilegeEscalation") !== false) complain(inside, "may become another user");
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
  for (const variable of list(container.env)) {
    given.push(String(variable.name));
    const [secret, key] = [at(variable, "valueFrom", "secretKeyRef", "name"), at(variable, "valueFrom", "secretKeyRef", "key")];
    if (secret !== undefined && !keysOf("Secret", secret).includes(String(key))) complain(where, `the secret ${secret} has no ${key}`);
    if (secret === undefined && typeof variable.value !== "string") complain(where, `${variable.name} is not text`);
  }
  const [, entry, program] = list(container.command) as unknown as string[];
  if (entry !== "agents/cli.ts") return;
  const known = programs[program ?? ""];
  if (!known) complain(where, `there is no claw ${program}`);
  for (const name of given) if (known && !known.has(name)) complain(where, `claw ${program} reads no ${name}`);
}

const kustomization = load(readFileSync(join(folder, "kustomization.yaml"), "utf8")) as Tree;
const wanted = files.filter((file) => file !== "kustomization.yaml" && !file.includes(".example."));
const listed = (kustomization.resources as string[]) ?? [];
for (const file of wanted) if (!listed.includes(file)) complain("kustomization.yaml", `${file} is not listed`);
for (const file of listed) if (!wanted.includes(file)) complain("kustomization.yaml", `there is no ${file}`);
if (!find("Namespace", kustomization.namespace)) complain("kustomization.yaml", "its namespace is not made");

const compose = load(readFileSync(join(folder, "../compose.scale.yaml"), "utf8")) as Tree;
const services = compose.services as Record<string, Tree>;
const named = (key: string) => Object.keys((compose[key] as Tree | undefined) ?? {});
for (const [name, service] of Object.entries(services)) {
  const where = `compose.scale.yaml: ${name}`;
  if (!service.image && !service.build) complain(where, "has neither image nor build");
  const needs = service.depends_on ?? {};
  for (const other of Array.isArray(needs) ? needs : Object.keys(needs as Tree))
    if (!(other in services)) complain(where, `depends on ${other}, which is not there`);
  for (const volume of (service.volumes as string[] | undefined) ?? [])
    if (!named("volumes").includes(volume.split(":")[0] ?? "")) complain(where, `there is no volume ${volume}`);
  for (const { source } of list(service.configs))
    if (!named("configs").includes(String(source))) complain(where, `there is no config ${source}`);
  const known = programs[name];
  for (const variable of Object.keys((service.environment as Tree | undefined) ?? {})) {
    if (known && !known.has(variable)) complain(where, `claw ${name} reads no ${variable}`);
  }
}

console.log(
  wrong
    ? `${wrong} faults in the manifests`
    : `${manifests.length} manifests and ${Object.keys(services).length} compose services hold together`,
);
process.exitCode = wrong ? 1 : 0;
