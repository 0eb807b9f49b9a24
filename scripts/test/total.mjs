/** Adds up what `npm test` and `npm run test:slow` counted; one that did not come to its end is one failed test. */
import { existsSync, readFileSync } from 'node:fs';
import { reportDir } from './commands.mjs';
import { add, closingLine, none } from './counts.mjs';

const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { ...none, failed: 1 });
const total = ['fast', 'slow'].map((kind) => read(`${reportDir}/total-${kind}.json`)).reduce(add);
console.log(`\nnpm test and the slow lanes together:\n${closingLine(total)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
