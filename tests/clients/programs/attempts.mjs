// How a JavaScript program of this folder tells what works: one line for each API and operation.

const LONGEST = 200;

/** In place of the value of an operation that failed. */
class Missing {
  constructor(operation) {
    this.operation = operation;
  }
}

/** The operations of one program. One that is tried in several forms works when it works in all of them. */
export class Attempts {
  #failures = new Map();

  /**
   * Try it: `call` throws when it does not work. Gives its value; `needs` are values that earlier attempts gave.
   * `because` explains errors that are known: a part of the error's text, and the reason in plain words.
   */
  async attempt(api, operation, call, { form = "", needs = [], because = {} } = {}) {
    const key = JSON.stringify([api, operation]);
    if (!this.#failures.has(key)) this.#failures.set(key, new Map());
    const missing = needs.find((value) => value instanceof Missing);
    try {
      if (missing) throw new Error(`not tried: needs “${missing.operation}”`);
      return await call();
    } catch (error) {
      const reason = missing ? error.message : reasonOf(error, because);
      const failures = this.#failures.get(key);
      failures.set(reason, [...(failures.get(reason) ?? []), form]);
      if (process.env.SHOW_ERRORS) console.error(operation, error);
      return new Missing(operation);
    }
  }

  /** Print the outcomes. */
  tell() {
    for (const [key, failures] of this.#failures) {
      const [api, operation] = JSON.parse(key);
      const reasons = [...failures].map(([reason, forms]) => [forms.join(", "), reason].filter(Boolean).join(": "));
      console.log(JSON.stringify({ api, operation, outcome: reasons.join("; ") || "works" }));
    }
  }
}

function reasonOf(error, because) {
  const text = `${error?.name ?? "Error"}: ${error?.message ?? error}`;
  for (const [part, reason] of Object.entries(because)) if (text.includes(part)) return reason;
  return text.split(/\s+/).join(" ").slice(0, LONGEST);
}

/** An assertion that the program makes about a reply. */
export function expect(found, wanted) {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`unexpected: ${one}, and not ${other}`);
}

/** The call must be refused with that status. */
export async function expectRefusal(status, call) {
  const refused = await call().then(
    () => undefined,
    (error) => error,
  );
  if (refused === undefined) throw new Error("unexpected: it is not refused");
  expect(Number(refused.status ?? refused.code), status);
}

/** All items of a pager. */
export async function all(pager) {
  const items = [];
  for await (const item of pager) items.push(item);
  return items;
}
