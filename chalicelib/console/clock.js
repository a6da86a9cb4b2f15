/* The page's one timer. Jobs come round by their own interval, never twice at a time, and not at all while the
   page is hidden; a job that is stopped has its requests aborted. Knows nothing of what the jobs do. */

/** Runs jobs again and again. */
export class Clock {
  #jobs = new Set();
  #timer = 0;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#wake());
  }

  /** Adds `run(signal)`, every `everyMs` from now on; 0 is once, and when asked for. */
  add(everyMs, run) {
    const job = { everyMs, run, due: performance.now(), abort: null };
    this.#jobs.add(job);
    this.#arm();
    return {
      now: () => this.#hurry(job),
      every: (ms) => this.#change(job, ms),
      stop: () => this.#drop(job),
    };
  }

  #wake() {
    if (!document.hidden) for (const job of this.#jobs) if (job.everyMs) job.due = Math.min(job.due, performance.now());
    this.#arm();
  }

  #hurry(job) {
    job.abort?.abort();
    job.abort = null;
    job.due = performance.now();
    this.#arm();
  }

  #change(job, ms) {
    job.everyMs = ms;
    this.#hurry(job);
  }

  #drop(job) {
    this.#jobs.delete(job);
    job.abort?.abort();
    this.#arm();
  }

  #arm() {
    clearTimeout(this.#timer);
    const waiting = [...this.#jobs].filter((job) => !job.abort && job.due < Infinity);
    if (document.hidden || waiting.length === 0) return;
    const wait = Math.min(...waiting.map((job) => job.due)) - performance.now();
    this.#timer = setTimeout(() => this.#ring(), Math.max(0, wait));
  }

  #ring() {
    const now = performance.now();
    for (const job of this.#jobs) if (!job.abort && job.due <= now) this.#start(job, now);
    this.#arm();
  }

  async #start(job, startedAt) {
    const abort = new AbortController();
    job.abort = abort;
    job.due = job.everyMs ? startedAt + job.everyMs : Infinity;
    try {
      await job.run(abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) console.error(error);
    }
    if (job.abort === abort) job.abort = null;
    if (this.#jobs.has(job)) this.#arm();
  }
}
