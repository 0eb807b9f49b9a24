/** How the tests run: each folder under test/ is one lane, types are checked by the compiler. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: {
		include: ['test/**/*.test.ts'],
		typecheck: { enabled: true, include: ['test/types/**/*.test-d.ts'], tsconfig: 'tsconfig.test.json', ignoreSourceErrors: true },
		testTimeout: 20_000,
		hookTimeout: 30_000,
	},
});
