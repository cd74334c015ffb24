export { createIndexerClient, type IndexerClient, type IndexerClientOptions } from "./client.ts";
export { indexerOpenApi } from "./openapi.ts";
export {
  type IndexerAnswer,
  type IndexerInput,
  type IndexerParams,
  type IndexerQuery,
  type IndexerRoute,
  type IndexerRouteName,
  indexerRoutes,
} from "./routes.ts";
