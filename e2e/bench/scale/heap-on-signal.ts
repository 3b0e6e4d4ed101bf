/**
 * For `node --import`: loaded into the controller before its own code, it collects all garbage on SIGUSR2, twice, so
 * that what only waited for a finalizer goes too, and prints what is left as a line of JSON to standard error. It is no
 * file, so that nothing but the controller's own files is read as TypeScript there, which would take memory.
 */
export const heapOnSignal = `data:text/javascript,${encodeURIComponent(`
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  process.on('SIGUSR2', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    collect();
    setImmediate(() => {
      collect();
      process.stderr.write(JSON.stringify({ message: 'heap', memory: process.memoryUsage() }) + '\\n');
    });
  });
`)}`;
