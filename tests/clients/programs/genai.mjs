// @google/genai, both APIs, both versions of each.

import { readFile, writeFile } from "node:fs/promises";
import { Storage } from "@google-cloud/storage";
// set-up
import { GoogleGenAI } from "@google/genai";

const ai = new GoogleGenAI({ vertexai: false }); // true: Vertex AI
// end of set-up
import { all, Attempts, expect, expectRefusal } from "./attempts.mjs";

const [MODEL, SLOW, EMBED] = ["gemini-2.5-flash", "gemini-2.5-pro", "gemini-embedding-001"];
const REQUEST = {
  contents: [{ role: "user", parts: [{ text: "one" }] }],
  metadata: { key: "a" },
  config: {
    temperature: 0.1,
    systemInstruction: { parts: [{ text: "Be brief." }] },
    thinkingConfig: { thinkingBudget: 0 },
    tools: [{ googleSearch: {} }],
  },
};
const ONE_LIST = { "/v1/publishers/google/models was not found": "Vertex AI has this list in v1beta1 only" };
const done = new Attempts();
console.warn = console.debug = () => {}; // "experimental", and which of two credentials is taken

await writeFile("in.jsonl", lines({ contents: [{ parts: [{ text: "one" }] }] }));
await writeFile("embed.jsonl", lines({ content: { parts: [{ text: "one" }] } }));
for (const version of ["v1beta", "v1"]) await gemini(version, new GoogleGenAI({ vertexai: false, apiVersion: version }));
for (const version of ["v1beta1", "v1"]) await vertex(version, new GoogleGenAI({ vertexai: true, apiVersion: version }));
await gemini("the default", ai);
done.tell();

function lines(request) {
  return ["a", "b"].map((key) => `${JSON.stringify({ key, request })}\n`).join("");
}

/** The Gemini Developer API. */
async function gemini(form, ai) {
  const attempt = (operation, call, ...needs) => done.attempt("gemini", operation, call, { form, needs });
  const file = await attempt("upload a file", async () => {
    const made = await ai.files.upload({ file: "in.jsonl", config: { displayName: "in", mimeType: "jsonl" } });
    expect(made.state, "ACTIVE");
    return made;
  });
  await attempt("upload a file in chunks", async () => {
    const content = new Blob(["x".repeat(9 * 2 ** 20)]);
    const made = await ai.files.upload({ file: content, config: { mimeType: "text/plain" } });
    expect(made.sizeBytes, String(content.size));
  });
  const embedFile = await attempt("upload a file", () => ai.files.upload({ file: "embed.jsonl", config: { mimeType: "jsonl" } }));
  await attempt("get a file", async () => expect((await ai.files.get({ name: file.name })).displayName, "in"), file);
  await attempt("list files", async () => {
    const names = (await all(await ai.files.list({ config: { pageSize: 1 } }))).map((one) => one.name);
    expect([file.name, embedFile.name].filter((name) => !names.includes(name)), []);
  }, file, embedFile);
  await attempt("download an uploaded file is refused", () =>
    expectRefusal(400, () => ai.files.download({ file: file.name, downloadPath: "nothing" })), file);

  const inline = await attempt("create a batch of inline rows", () =>
    ai.batches.create({ model: MODEL, src: [REQUEST], config: { displayName: "inline" } }));
  const fromFile = await attempt("create a batch from a file", () => ai.batches.create({ model: MODEL, src: file.name }), file);
  const vectors = await attempt("create a batch of embeddings", () =>
    ai.batches.createEmbeddings({
      model: EMBED,
      src: { inlinedRequests: { contents: ["one", "two"], config: { outputDimensionality: 8, taskType: "CLUSTERING" } } },
    }));
  const vectorsFromFile = await attempt("create a batch of embeddings from a file", () =>
    ai.batches.createEmbeddings({ model: EMBED, src: { fileName: embedFile.name }, config: { displayName: "vectors" } }), embedFile);
  await attempt("get a batch", () => ended(ai, inline), inline);
  await attempt("list batches, by pages", () => pages(ai, [inline, fromFile, vectors]), inline, fromFile, vectors);
  await attempt("read inline results", async () => {
    const [row] = (await ended(ai, inline)).dest.inlinedResponses;
    expect([row.metadata.key, row.response.candidates[0].content.parts[0].text.includes("one")], ["a", true]);
  }, inline);
  await attempt("read results from a file", async () =>
    expect((await results(ai, fromFile)).map((row) => [row.key, row.response.candidates.length]), [["a", 1], ["b", 1]]), fromFile);
  await attempt("read embeddings", async () => {
    const rows = (await ended(ai, vectors)).dest.inlinedEmbedContentResponses;
    expect(rows.map((row) => row.response.embedding.values.length), [8, 8]);
  }, vectors);
  await attempt("read embeddings from a file", async () =>
    expect((await results(ai, vectorsFromFile)).map((row) => [row.key, row.response.embedding.values.length > 0]), [["a", true], ["b", true]]),
  vectorsFromFile);
  const slow = await attempt("create a batch that runs", () => ai.batches.create({ model: SLOW, src: [REQUEST] }));
  await attempt("cancel a batch", () => cancelled(ai, slow), slow);
  await attempt("delete a batch", async () => {
    await ai.batches.delete({ name: inline.name });
    await expectRefusal(404, () => ai.batches.get({ name: inline.name }));
  }, inline);
  await attempt("delete a file", async () => {
    await ai.files.delete({ name: file.name });
    await expectRefusal(403, () => ai.files.get({ name: file.name }));
  }, file);
  await models(ai, attempt);
  await attempt("an unknown model is refused", () => expectRefusal(404, () => ai.batches.create({ model: "nobody", src: [REQUEST] })));
  await attempt("a wrong key is refused", () =>
    expectRefusal(400, () => new GoogleGenAI({ vertexai: false, apiKey: "invalid" }).batches.list()));
}

/** Vertex AI, and the results that its jobs write to Cloud Storage. */
async function vertex(form, ai) {
  const attempt = (operation, call, ...needs) => done.attempt("vertex", operation, call, { form, needs, because: ONE_LIST });
  const src = "gs://clients/in.jsonl";
  const dest = `gs://clients/${form}`;
  const made = await attempt("create a batch from Cloud Storage", () =>
    ai.batches.create({ model: MODEL, src, config: { displayName: form, dest } }));
  const bare = await attempt("create a batch without a destination", () => ai.batches.create({ model: MODEL, src }));
  const rows = await attempt("create a batch from BigQuery", () =>
    ai.batches.create({ model: MODEL, src: "bq://emulator.clients.rows", config: { dest: `bq://emulator.clients.${form}` } }));
  const vectors = await attempt("create a batch of embeddings", () =>
    ai.batches.create({ model: EMBED, src: "gs://clients/embed.jsonl", config: { dest } }));
  await attempt("get a batch", async () => {
    for (const job of [made, bare, rows, vectors]) await ended(ai, job);
  }, made, bare, rows, vectors);
  await attempt("list batches, by pages", () => pages(ai, [made, rows]), made, rows);
  await attempt("list batches, with a filter", async () => {
    const filter = `display_name="${form}" AND state="JOB_STATE_SUCCEEDED"`;
    const found = (await all(await ai.batches.list({ config: { filter } }))).map((job) => job.name);
    expect(found, [made.name]);
  }, made);
  await attempt("read results from Cloud Storage", async () => {
    const { outputInfo, dest } = await ended(ai, made);
    const prefix = (outputInfo?.gcsOutputDirectory ?? dest.gcsUri).replace("gs://clients/", "");
    const [[file]] = await new Storage({ useAuthWithCustomEndpoint: true }).bucket("clients").getFiles({ prefix });
    const texts = (await file.download())[0].toString().trimEnd().split("\n");
    expect(texts.map((text) => JSON.parse(text).key).sort(), ["a", "b"]);
  }, made);
  const slow = await attempt("create a batch that runs", () => ai.batches.create({ model: SLOW, src, config: { dest } }));
  await attempt("deleting an unfinished batch is refused", () => expectRefusal(400, () => ai.batches.delete({ name: slow.name })), slow);
  await attempt("cancel a batch", () => cancelled(ai, slow), slow);
  await attempt("delete a batch", async () => {
    await ai.batches.delete({ name: made.name });
    await expectRefusal(404, () => ai.batches.get({ name: made.name }));
  }, made);
  await models(ai, attempt);
  await attempt("an unknown model is refused", () => expectRefusal(404, () => ai.batches.create({ model: "nobody", src, config: { dest } })));
}

async function ended(ai, job) {
  const found = await ai.batches.get({ name: job.name });
  expect(found.state, "JOB_STATE_SUCCEEDED");
  return found;
}

async function pages(ai, jobs) {
  const pager = await ai.batches.list({ config: { pageSize: 1 } });
  const first = pager.page[0].name;
  const next = await pager.nextPage();
  expect([next.length, next[0].name === first], [1, false]);
  const names = (await all(await ai.batches.list({ config: { pageSize: 2 } }))).map((job) => job.name);
  expect(jobs.filter((job) => !names.includes(job.name)), []);
}

async function results(ai, job) {
  const { dest } = await ended(ai, job);
  await ai.files.download({ file: dest.fileName, downloadPath: "results.jsonl" });
  return (await readFile("results.jsonl", "utf8")).trimEnd().split("\n").map((line) => JSON.parse(line));
}

async function cancelled(ai, job) {
  await ai.batches.cancel({ name: job.name });
  const { state } = await ai.batches.get({ name: job.name });
  expect(["JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED"].includes(state), true);
}

async function models(ai, attempt) {
  await attempt("get a model", async () => expect((await ai.models.get({ model: MODEL })).name.endsWith(MODEL), true));
  await attempt("list models", async () => expect((await all(await ai.models.list({ config: { pageSize: 2 } }))).length > 2, true));
}
