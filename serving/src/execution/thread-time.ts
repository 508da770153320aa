/**
 * Processor time that the calling thread has used, in milliseconds, to a few microseconds.
 *
 * Linux writes a thread's time down at each tick of its clock, of 1 to 10 ms: to ask for the thread's alone tells what
 * stood there at the last one. To ask for the whole process's first makes it bring the caller's up to date
 * (`thread_group_cputime` in the kernel's `kernel/sched/cputime.c`; getrusage(2) has no word of it).
 */
export function threadMs(): number {
  process.cpuUsage();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
