/* The server's answers, made from the documents of a report: the same filters, order and pages. */

/** The document at an address of the API, or null if the report does not have it. */
export function answer(report, address, parameters) {
  const documents = report.documents;
  const [place, name, part] = address.split("/");
  if (place === "jobs" && name !== undefined) return part ? null : oneJob(report, decodeURIComponent(name));
  if (place === "jobs") return page(documents.jobs, ...filtered(documents.jobs.items, parameters), parameters);
  if (place === "timeline") return timeline(documents, parameters);
  if (place === "events") return events(documents.events, parameters);
  if (place === "plan") return plan(documents.plan, parameters);
  if (place === "graph" && parameters.job) return connected(documents.graph, parameters.job);
  return documents[place] ?? null;
}

function oneJob(report, name) {
  if (report.jobs[name]) return report.jobs[name];
  const status = report.documents.jobs.items.find((job) => job.job === name);
  return status
    ? {
        change: null,
        asOf: report.written,
        status,
        describe: null,
        spans: [],
        dependsOn: [],
        dependents: [],
        commands: [],
      }
    : null;
}

/** Jobs in the order of `sort` that the filter leaves, and the counts of phases before the filter by phase. */
function filtered(jobs, parameters) {
  const words = (parameters.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const models = list(parameters.model);
  const matching = jobs.filter(
    (job) => (!models.length || models.includes(job.model)) && words.every((word) => hasWord(job, word)),
  );
  const phases = {};
  for (const job of matching) phases[job.phase] = (phases[job.phase] ?? 0) + 1;
  const asked = list(parameters.phase);
  const shown = matching.filter(
    (job) => !asked.length || asked.includes(job.phase) || (asked.includes("attention") && job.attention),
  );
  return [sorted(shown, parameters.sort ?? "attention"), phases];
}

/** A parameter's values; an empty one asks for nothing, as on the server. */
function list(value) {
  return [value ?? []].flat().filter(Boolean);
}

function hasWord(job, word) {
  const labels = Object.entries(job.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  const texts = [job.job, job.model, job.provider, job.phase, job.state, job.reason, job.remote, ...labels];
  return texts.some((text) => text && text.toLowerCase().includes(word));
}

/** What each `sort` compares; null is a job without a value, which comes last in both directions. */
const SORTS = {
  job: (job) => job.job,
  phase: (job) => job.phase,
  model: (job) => job.model,
  provider: (job) => job.provider,
  rows: (job) => job.rows.total,
  created: (job) => job.createTime,
  ended: (job) => job.endTime,
  end: (job) => job.endTime ?? job.forecast?.end?.p50,
  cost: (job) => amount(job.cost?.actual?.money ?? job.cost?.estimate?.high ?? job.cost?.estimate?.low),
};

function amount(text) {
  return text === undefined || text === null ? null : Number(text);
}

/** The embedded list is in the order of attention, so that order needs no rule of its own here. */
function sorted(jobs, sort) {
  const down = sort.startsWith("-");
  const value = SORTS[sort.replace("-", "")];
  if (!value) return down ? [...jobs].reverse() : jobs;
  const direction = down ? -1 : 1;
  return [...jobs].sort((one, other) => compare(value(one), value(other), direction) || compare(one.job, other.job, 1));
}

function compare(one, other, direction) {
  if (one === other) return 0;
  if (one === null || one === undefined) return 1;
  if (other === null || other === undefined) return -1;
  return (one < other ? -1 : 1) * direction;
}

/** One page; a cursor is the number of items before it. */
function page(whole, items, phases, parameters) {
  const from = Number(parameters.cursor ?? 0);
  const limit = Number(parameters.limit ?? 100);
  const next = from + limit < items.length ? String(from + limit) : null;
  return { ...whole, phases, matched: items.length, items: items.slice(from, from + limit), next };
}

function timeline(documents, parameters) {
  const spans = new Map(documents.timeline.items.map((item) => [item.job, item]));
  const [jobs] = filtered(documents.jobs.items, parameters);
  const items = jobs.map((job) => spans.get(job.job)).filter(Boolean);
  return page(documents.timeline, items, undefined, parameters);
}

function events(document, parameters) {
  const limit = Number(parameters.limit ?? 100);
  const before = Number(parameters.before ?? Infinity);
  const after = Number(parameters.after ?? -Infinity);
  const items = document.items.filter(
    (event) => (!parameters.job || event.job === parameters.job) && event.number < before && event.number > after,
  );
  return { ...document, matched: items.length, items: items.slice(-limit) };
}

function plan(document, parameters) {
  if (!document) return null;
  const acts = (action) => !["none", "wait"].includes(action.action) || action.guard || action.changes.length;
  const items = parameters.all ? document.items : document.items.filter(acts);
  return page(document, items, undefined, parameters);
}

/** The part of the graph that is connected with one job. */
function connected(graph, name) {
  const inside = new Set([name]);
  for (let before = 0; before < inside.size;) {
    before = inside.size;
    for (const { from, to } of graph.edges) {
      if (inside.has(from)) inside.add(to);
      else if (inside.has(to)) inside.add(from);
    }
  }
  const edges = graph.edges.filter((edge) => inside.has(edge.from));
  return { ...graph, nodes: graph.nodes.filter((node) => inside.has(node.job)), edges };
}
