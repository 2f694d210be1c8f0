import { join } from 'node:path'
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  base: '/graphiql/',
  worker: { format: 'es' },
  build: {
    outDir: join(import.meta.dirname, '../../../dist/explorer'),
    emptyOutDir: true,
    target: 'es2024',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 10_000,
    // 'use client' means nothing here, and hundreds of such warnings would hide a real one.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
})
