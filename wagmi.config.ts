import { defineConfig } from "@wagmi/cli";
import { hardhat } from "@wagmi/cli/plugins";

// Reads what `hardhat build` left behind: the concrete contracts, so that every error they can throw is in the ABI.
export default defineConfig({
  out: "lib/abi/generated.ts",
  plugins: [
    hardhat({
      project: ".",
      artifacts: "artifacts",
      include: [
        "contracts/ComputeRegistry.sol/ComputeRegistry.json",
        "contracts/StreamPay.sol/StreamPay.json",
        "contracts/PaymentChannel.sol/PaymentChannel.json",
        "contracts/mocks/MockToken.sol/MockToken.json",
      ],
      commands: { clean: false, build: false, rebuild: false },
    }),
  ],
});
