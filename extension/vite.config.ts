import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vitest/config";

/** Macaw brings four families of fonts, 3.7 MB; the pages use one file of one. */
function onlyInter(): Plugin {
  return {
    name: "only-inter",
    enforce: "pre",
    transform(code, id) {
      if (!id.includes("@saleor/macaw-ui") || !id.split("?")[0]?.endsWith(".css")) return;
      return code.replace(/@font-face\s*\{[^}]*\}/g, (face) =>
        face.includes("Inter-roman.var.woff2") ? face : "",
      );
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [onlyInter(), react()],
  build: {
    outDir: "../saleor_amazon_channel/dashboard/static",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    // The pages' policy allows no data: fonts, and a file is kept for ever anyway.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        // Hashes in hexadecimal: the same on file systems that fold case.
        hashCharacters: "hex",
      },
    },
  },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
});
