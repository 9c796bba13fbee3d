// Named checks of one client: each passes or fails on its own, within a time of its own, and is counted.
export class Checks {
  constructor(kind) {
    this.kind = kind;
    this.passed = 0;
    this.failed = 0;
  }

  async check(name, body, limit_ms = 20_000) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done within ${limit_ms} ms`)), limit_ms);
    });
    try {
      await Promise.race([body(), late]);
      this.passed += 1;
      if (process.env.VERBOSE) console.log(`  ok      ${this.kind}: ${name}`);
    } catch (error) {
      this.failed += 1;
      console.log(`  FAILED  ${this.kind}: ${name}: ${error.stack ?? error}`);
    } finally {
      clearTimeout(timer);
    }
  }
}

// The first truthy answer of `condition`, which is asked again until then.
export async function until(what, condition, limit_ms = 10_000) {
  const deadline = Date.now() + limit_ms;
  while (true) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`did not happen within ${limit_ms} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}
