import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    dir: "e2e",
    include: process.env.DASHBOARD
      ? ["in-dashboard.ts"]
      : process.env.EMPTY
        ? ["in-empty-shop.ts"]
        : ["*.test.ts"],
    globalSetup: "e2e/demo.ts",
    // One browser, one shop: they are as much as the machine should do at once.
    fileParallelism: false,
    // For machines with other things to do.
    expect: { poll: { timeout: 10_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
