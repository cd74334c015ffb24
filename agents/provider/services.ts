import { AppError } from "@clawcompute/lib/errors";
import { type RouteName, routes } from "@clawcompute/lib/protocol";
import type { Backend } from "./backends/backend.ts";
import type { OfferTerms } from "./offers.ts";

type Method = "chat" | "completion" | "responses" | "embeddings" | "images" | "transcription" | "speech";

interface Service {
  /** As the registry numbers it. */
  readonly serviceType: number;
  /** What the engine must be able to do. */
  readonly needs: Method;
}

/** Routes that answer, by the service type of the offers that have them. */
export const services = {
  chatCompletions: { serviceType: 0, needs: "chat" },
  inference: { serviceType: 0, needs: "chat" },
  completions: { serviceType: 0, needs: "completion" },
  responses: { serviceType: 0, needs: "responses" },
  images: { serviceType: 1, needs: "images" },
  transcriptions: { serviceType: 2, needs: "transcription" },
  speech: { serviceType: 2, needs: "speech" },
  embeddings: { serviceType: 3, needs: "embeddings" },
} as const satisfies Partial<Record<RouteName, Service>>;
export type ServiceName = keyof typeof services;

export const serviceTypeNames = ["text", "image", "audio", "embedding"] as const;

/** Paths that an offer serves, in the order of the table. */
export function pathsOf(serviceType: number, backend: Backend): readonly string[] {
  return Object.entries(services)
    .filter(([, service]) => service.serviceType === serviceType && backend[service.needs] !== undefined)
    .map(([name]) => routes[name as ServiceName].path);
}

/** Throws UNSUPPORTED, saying what the offer serves instead. */
export function assertServes({ terms, backend }: { terms: OfferTerms; backend: Backend }, name: ServiceName): void {
  const { serviceType, needs } = services[name];
  if (terms.serviceType === serviceType && backend[needs] !== undefined) return;
  const served = pathsOf(terms.serviceType, backend);
  throw new AppError("UNSUPPORTED", `The model "${terms.model}" does not serve ${routes[name].path}.`, {
    param: "model",
    facts: { serviceType: terms.serviceType, neededServiceType: serviceType, served },
    hint: `This stream pays for ${served.join(", ") || "nothing here"}; for ${routes[name].path} open one to an offer of service type ${serviceType} (${serviceTypeNames[serviceType]}).`,
  });
}

/** A method that `assertServes` has found. */
export function present<T>(method: T | undefined): T {
  if (method === undefined) throw new AppError("UNSUPPORTED", "The engine of this offer cannot do this.");
  return method;
}

/** Throws CONFIG_INVALID for an engine that has nothing to offer for this service type: nobody should pay for that. */
export function assertUsable({ model, serviceType }: OfferTerms, backend: Backend): void {
  if (pathsOf(serviceType, backend).length > 0) return;
  throw new AppError(
    "CONFIG_INVALID",
    `SERVICE_TYPE: the engine "${backend.name}" has no ${serviceTypeNames[serviceType]} service for ${model}.`,
    {
      param: "SERVICE_TYPE",
      hint: "Choose another engine, or offer what this one can do: 0 text, 1 image, 2 audio, 3 embedding.",
    },
  );
}
