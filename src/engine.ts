import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'

// Imported before everything else: what other modules do when they are loaded may begin the threads.

/** Threads for what is not a hash: signing, files, names of hosts. */
const OTHER_THREADS = 4

// Node has four threads, unless told otherwise, whatever the number of cores: no more hashes would be computed at once,
// and everything else that needs a thread would wait behind them.
const hashes = Number(process.env.ARGON2_CONCURRENCY) || availableParallelism()
process.env.UV_THREADPOOL_SIZE ??= String(hashes + OTHER_THREADS)

// Requests that compare a password take long, from which V8 learns that what requests make lives long: it then puts it
// all among the old objects, where it stays until a full collection. That cost a fifth of the processor time.
setFlagsFromString('--no-allocation-site-pretenuring')
