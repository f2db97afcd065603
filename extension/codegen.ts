import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  // The second file has what docs/schema.graphql takes from Saleor's own schema.
  schema: ["../docs/schema.graphql", "saleor.graphql"],
  documents: ["src/**/*.graphql"],
  generates: {
    "src/api/generated/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        enumsAsTypes: true,
        strictScalars: true,
        useTypeImports: true,
        scalars: {
          Date: "string",
          DateTime: "string",
          JSON: "unknown",
          PositiveDecimal: "string",
          Upload: "File",
        },
      },
    },
  },
};

export default config;
