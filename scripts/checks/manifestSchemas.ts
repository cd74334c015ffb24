// What Kubernetes and Compose accept, for the kinds and fields that deploy/ uses; a field that is not here is refused, as both would
// silently drop or misread a misspelt one. Names, types and limits are those of the Kubernetes API reference 1.31
// (https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.31/) and of the Compose specification (https://compose-spec.io).
import { z } from "zod/v4";

const strict = z.strictObject;
const label = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be a DNS label");
const labelKey = z.string().regex(/^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/, "must be a label's key");
const labelValue = z.string().regex(/^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/, "must be a label's value");
const labels = z.record(labelKey, labelValue);
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be a variable's name");
const image = z
  .string()
  .regex(/^[\w./-]+:[\w.-]+(@sha256:[0-9a-f]{64})?$/, "must be an image with a version")
  .refine((name) => !name.endsWith(":latest") || name.startsWith("clawcompute:"), "must be pinned to a version");
const port = z.int().min(1).max(65_535);
const portName = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/, "must be a port's name");
const seconds = z.int().min(0).max(86_400);
const quantity = z.string().regex(/^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/, "must be a quantity");
const host = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, "must be a host name");
const folder = z.string().startsWith("/");

const metadata = strict({
  name: label,
  namespace: label.optional(),
  labels: labels.optional(),
  annotations: z.record(labelKey, z.string()).optional(),
});
const selector = strict({ matchLabels: labels });
const resource = (apiVersion: string, kind: string, rest: z.ZodRawShape) =>
  strict({ apiVersion: z.literal(apiVersion), kind: z.literal(kind), metadata, ...rest });

const probe = strict({
  httpGet: strict({ path: folder, port: portName, scheme: z.enum(["HTTP", "HTTPS"]).optional() }).optional(),
  exec: strict({ command: z.array(z.string()).min(1) }).optional(),
  tcpSocket: strict({ port: portName }).optional(),
  initialDelaySeconds: seconds.optional(),
  periodSeconds: seconds.min(1).optional(),
  timeoutSeconds: seconds.min(1).optional(),
  failureThreshold: z.int().min(1).optional(),
}).refine(({ httpGet, exec, tcpSocket }) => [httpGet, exec, tcpSocket].filter(Boolean).length === 1, "must ask in one way");
const keyRef = strict({ name: label, key: z.string() });
const env = z.union([
  strict({ name: variable, value: z.string() }),
  strict({
    name: variable,
    valueFrom: z.union([
      strict({ secretKeyRef: keyRef }),
      strict({ configMapKeyRef: keyRef }),
      strict({ fieldRef: strict({ fieldPath: z.enum(["metadata.name", "metadata.namespace", "status.podIP"]) }) }),
    ]),
  }),
]);
const amounts = strict({ cpu: quantity.optional(), memory: quantity, "nvidia.com/gpu": quantity.optional() });
const container = strict({
  name: label,
  image,
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  env: z.array(env).optional(),
  envFrom: z.array(z.union([strict({ configMapRef: strict({ name: label }) }), strict({ secretRef: strict({ name: label }) })])).optional(),
  ports: z.array(strict({ name: portName, containerPort: port, protocol: z.enum(["TCP", "UDP"]).optional() })).optional(),
  startupProbe: probe.optional(),
  readinessProbe: probe,
  livenessProbe: probe.optional(),
  resources: strict({ requests: amounts, limits: amounts }),
  securityContext: strict({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.boolean().optional(),
    capabilities: strict({ drop: z.array(z.literal("ALL")) }),
  }),
  volumeMounts: z.array(strict({ name: label, mountPath: folder, readOnly: z.boolean().optional() })).optional(),
});
const volume = z.union([
  strict({ name: label, emptyDir: strict({ medium: z.literal("Memory").optional(), sizeLimit: quantity.optional() }) }),
  strict({ name: label, secret: strict({ secretName: label, defaultMode: z.int().min(0).max(0o777).optional() }) }),
  strict({ name: label, configMap: strict({ name: label }) }),
]);
const user = z.int().min(0);
const template = strict({
  metadata: strict({ labels, annotations: z.record(labelKey, z.string()).optional() }),
  spec: strict({
    terminationGracePeriodSeconds: seconds.optional(),
    securityContext: strict({
      runAsNonRoot: z.literal(true),
      runAsUser: user.min(1),
      runAsGroup: user.optional(),
      fsGroup: user.optional(),
    }).optional(),
    containers: z.array(container).min(1),
    volumes: z.array(volume).optional(),
    nodeSelector: labels.optional(),
  }),
});
const claim = strict({
  metadata: strict({ name: label }),
  spec: strict({
    accessModes: z.array(z.enum(["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"])),
    resources: strict({ requests: strict({ storage: quantity }) }),
    storageClassName: label.optional(),
  }),
});
const replicas = z.int().min(0).max(1_000);
const backend = strict({ service: strict({ name: label, port: strict({ name: portName }) }) });
const path = strict({ path: folder, pathType: z.enum(["Prefix", "Exact", "ImplementationSpecific"]), backend });

/** By kind. */
export const kubernetesSchemas: Readonly<Record<string, z.ZodType>> = {
  Namespace: resource("v1", "Namespace", {}),
  ConfigMap: resource("v1", "ConfigMap", { data: z.record(z.string().regex(/^[\w.-]+$/), z.string()) }),
  Secret: resource("v1", "Secret", { type: z.literal("Opaque"), stringData: z.record(z.string().regex(/^[\w.-]+$/), z.string()) }),
  Service: resource("v1", "Service", {
    spec: strict({
      selector: labels,
      clusterIP: z.literal("None").optional(),
      type: z.enum(["ClusterIP", "NodePort", "LoadBalancer"]).optional(),
      ports: z.array(strict({ name: portName, port, targetPort: portName })).min(1),
    }),
  }),
  Deployment: resource("apps/v1", "Deployment", {
    spec: strict({
      replicas,
      selector,
      template,
      strategy: strict({ type: z.enum(["Recreate", "RollingUpdate"]) }).optional(),
      minReadySeconds: seconds.optional(),
    }),
  }),
  StatefulSet: resource("apps/v1", "StatefulSet", {
    spec: strict({
      serviceName: label,
      replicas,
      selector,
      template,
      podManagementPolicy: z.enum(["OrderedReady", "Parallel"]).optional(),
      volumeClaimTemplates: z.array(claim).optional(),
    }),
  }),
  PodDisruptionBudget: resource("policy/v1", "PodDisruptionBudget", {
    spec: strict({ minAvailable: replicas.optional(), maxUnavailable: replicas.optional(), selector }),
  }),
  Ingress: resource("networking.k8s.io/v1", "Ingress", {
    spec: strict({
      ingressClassName: label,
      tls: z.array(strict({ hosts: z.array(host), secretName: label })),
      rules: z.array(strict({ host, http: strict({ paths: z.array(path).min(1) }) })).min(1),
    }),
  }),
};

export const kustomizationSchema = strict({
  apiVersion: z.literal("kustomize.config.k8s.io/v1beta1"),
  kind: z.literal("Kustomization"),
  namespace: label,
  resources: z.array(z.string().endsWith(".yaml")),
});

const duration = z.string().regex(/^(\d+(us|ms|s|m|h))+$/, "must be a duration");
const device = strict({
  driver: z.string(),
  count: z.union([z.literal("all"), z.int().min(1)]).optional(),
  capabilities: z.array(z.string()).min(1),
});
const healthcheck = z.union([
  strict({ disable: z.literal(true) }),
  strict({
    test: z.array(z.string()).min(2),
    interval: duration.optional(),
    timeout: duration.optional(),
    retries: z.int().min(1).optional(),
    start_period: duration.optional(),
  }),
]);
const condition = strict({ condition: z.enum(["service_started", "service_healthy", "service_completed_successfully"]) });
const service = strict({
  image: image.optional(),
  build: strict({ context: z.string(), dockerfile: z.string().optional() }).optional(),
  command: z.array(z.string()).optional(),
  env_file: z.array(z.string()).optional(),
  environment: z.record(variable, z.string()).optional(),
  volumes: z.array(z.string().regex(/^[^:]+:\/[^:]*(:ro)?$/, "must be SOURCE:/TARGET")).optional(),
  ports: z.array(z.string().regex(/^([\d.]+:)?\d{1,5}:\d{1,5}$/, "must be HOST:CONTAINER")).optional(),
  configs: z.array(strict({ source: z.string(), target: folder })).optional(),
  depends_on: z.union([z.array(z.string()), z.record(z.string(), condition)]).optional(),
  healthcheck: healthcheck.optional(),
  deploy: strict({
    replicas: replicas.optional(),
    resources: strict({ reservations: strict({ devices: z.array(device) }) }).optional(),
  }).optional(),
  profiles: z.array(z.string()).optional(),
  init: z.boolean().optional(),
  ipc: z.literal("host").optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(folder).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  stop_grace_period: duration.optional(),
  restart: z.enum(["no", "always", "on-failure", "unless-stopped"]).optional(),
  logging: strict({ driver: z.string(), options: z.record(z.string(), z.string()) }).optional(),
}).refine(({ image: name, build }) => name !== undefined || build !== undefined, "must have an image or a build");

/** `x-…` holds what services share. */
export const composeSchema = z
  .looseObject({
    name: label,
    services: z.record(label, service),
    volumes: z.record(z.string(), z.null()).optional(),
    configs: z.record(z.string(), strict({ content: z.string() })).optional(),
  })
  .refine(
    (file) => Object.keys(file).every((key) => ["name", "services", "volumes", "configs"].includes(key) || key.startsWith("x-")),
    "has a part that is not known",
  );
