import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  // Two releases for the tests of a publish: the chunks of the second have other names.
  define: { __RELEASE__: JSON.stringify(process.env.APP_RELEASE ?? "1") },
  build: { outDir: process.env.APP_OUT ?? "dist/1", emptyOutDir: true, assetsInlineLimit: 0 },
});
