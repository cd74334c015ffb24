import { defineConfig } from "@wagmi/cli";
import { hardhat } from "@wagmi/cli/plugins";

export default defineConfig({
  out: "lib/abi/generated.ts",
  plugins: [
    hardhat({
      project: ".",
      artifacts: "artifacts",
      include: [
        "contracts/interfaces/IComputeRegistry.sol/*.json",
        "contracts/interfaces/IStreamPay.sol/*.json"
      ],
      commands: { clean: false, build: false, rebuild: false },
    }),
  ],
});
