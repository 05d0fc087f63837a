// Create jobs with @google/genai and wait until all have ended: node creates.mjs URL JOBS AT_ONCE
import { GoogleGenAI } from "@google/genai";

const [url, jobs, atOnce] = process.argv.slice(2);
const client = new GoogleGenAI({ apiKey: "bench", httpOptions: { baseUrl: url } });
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
let next = 0;

async function createInTurn(names) {
  while (next < Number(jobs)) {
    const number = next++;
    const src = [{ contents: [{ role: "user", parts: [{ text: `Say ${number}` }] }] }];
    const config = { displayName: `job-${number}` };
    names.push((await client.batches.create({ model: "gemini-2.5-flash", src, config })).name);
  }
}

async function waitInTurn(names) {
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    while ((await client.batches.get({ name })).state !== "JOB_STATE_SUCCEEDED") {
      await pause(0.5);
    }
  }
}

const names = [];
const lanes = (work) => Promise.all(Array.from({ length: Number(atOnce) }, () => work(names)));
await lanes(createInTurn);
await lanes(waitInTurn);
