import { defineConfig } from "drizzle-kit";

// `npm run store:migration` writes the SQL for a changed schema.ts.
export default defineConfig({
  dialect: "postgresql",
  schema: ["lib/store/schema.ts", "lib/store/indexerSchema.ts", "lib/store/gatewaySchema.ts", "lib/store/paymentSchema.ts"],
  out: "lib/store/migrations",
});
