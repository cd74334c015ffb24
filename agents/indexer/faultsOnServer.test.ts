import { proveFaults } from "./testing/proveFaults.ts";

proveFaults("PostgreSQL");
