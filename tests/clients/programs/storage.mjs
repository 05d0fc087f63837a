// @google-cloud/storage: buckets and objects.

import { readFile, writeFile } from "node:fs/promises";
// set-up
import { Storage } from "@google-cloud/storage";

const storage = new Storage({ useAuthWithCustomEndpoint: true });
// end of set-up
import { Attempts, expect, expectRefusal } from "./attempts.mjs";

const ANONYMOUS = "the client sends resumable uploads without its token unless the endpoint is Google's (401)";
const because = { "status code 401": ANONYMOUS, "missing required authentication": ANONYMOUS };
const UNUSUAL = "folder/ä b+c%2F#?.txt";
const CONTENT = '{"request": {}}\n';
const LARGE = Buffer.alloc(3 * 2 ** 20 + 7, "0123456789");
const done = new Attempts();
const attempt = (operation, call) => done.attempt("storage", operation, call, { because });
process.removeAllListeners("warning"); // the client's own, of its streams

await writeFile("in.jsonl", CONTENT);
const bucket = storage.bucket("from-node");
await attempt("create a bucket", async () => {
  await storage.createBucket("from-node", { location: "us-central1" });
  expect((await bucket.getMetadata())[0].location, "US-CENTRAL1");
});
await attempt("check whether a bucket exists", async () =>
  expect([(await bucket.exists())[0], (await storage.bucket("missing").exists())[0]], [true, false]));
await attempt("list buckets", async () => {
  const names = (await storage.getBuckets())[0].map((one) => one.name);
  expect(names.includes("from-node"), true);
});
await attempt("upload an object", async () => {
  await bucket.upload("in.jsonl", { destination: "folder/in.jsonl", resumable: false });
  await bucket.file(UNUSUAL).save("x", { resumable: false });
});
await attempt("upload in chunks, resumable", async () => {
  await bucket.upload("in.jsonl", { destination: "resumed" });
  await bucket.file("resumed").save(LARGE, { chunkSize: 2 ** 20 });
});
await attempt("upload in chunks, resumable, to createResumableUpload's address", async () => {
  const metadata = { contentType: "text/plain", metadata: { a: "b" } };
  const [uri] = await bucket.file("large").createResumableUpload({ metadata });
  await bucket.file("large").save(LARGE, { chunkSize: 2 ** 20, uri, metadata });
  const [other] = await bucket.file("resumed").createResumableUpload();
  await bucket.upload("in.jsonl", { destination: "resumed", uri: other });
});
await attempt("upload an object unless it exists", () =>
  expectRefusal(412, () => bucket.file("folder/in.jsonl").save("y", { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } })));
await attempt("download an object", async () => {
  expect((await bucket.file("folder/in.jsonl").download())[0].toString(), CONTENT);
  expect((await bucket.file(UNUSUAL).download())[0].toString(), "x");
});
await attempt("download an object to a file", async () => {
  await bucket.file("large").download({ destination: "large" });
  expect((await readFile("large")).equals(LARGE), true);
});
await attempt("download a range", async () => expect((await bucket.file("large").download({ start: 3, end: 5 }))[0].toString(), "345"));
await attempt("get metadata", async () => {
  const [{ size, contentType, metadata }] = await bucket.file("large").getMetadata();
  expect([size, contentType, metadata], [String(LARGE.length), "text/plain", { a: "b" }]);
});
await attempt("change metadata", async () => {
  await bucket.file("large").setMetadata({ metadata: { a: "c" } });
  expect((await bucket.file("large").getMetadata())[0].metadata, { a: "c" });
});
await attempt("copy an object", async () => {
  await bucket.file("large").copy(bucket.file("copied"));
  expect((await bucket.file("copied").exists())[0], true);
});
await attempt("move an object", async () => {
  await bucket.file("copied").move("moved");
  expect([(await bucket.file("copied").exists())[0], (await bucket.file("moved").exists())[0]], [false, true]);
});
await attempt("combine objects", async () => {
  await bucket.combine(["folder/in.jsonl", "folder/in.jsonl"], "combined");
  expect((await bucket.file("combined").download())[0].toString(), CONTENT.repeat(2));
});
await attempt("list objects", async () => {
  const [files] = await bucket.getFiles({ prefix: "folder/" });
  expect(files.map((file) => file.name), ["folder/in.jsonl", UNUSUAL]);
});
await attempt("list objects, by pages", async () => {
  const [first, next] = await bucket.getFiles({ prefix: "folder/", maxResults: 1, autoPaginate: false });
  const [second] = await bucket.getFiles(next);
  expect([...first, ...second].map((file) => file.name), ["folder/in.jsonl", UNUSUAL]);
});
await attempt("list folders", async () => {
  const [files, , reply] = await bucket.getFiles({ delimiter: "/", autoPaginate: false });
  expect([files.some((file) => file.name.includes("/")), reply.prefixes], [false, ["folder/"]]);
});
await attempt("a missing object is not found", () => expectRefusal(404, () => bucket.file("missing").download()));
await attempt("a missing bucket is not found", () =>
  expectRefusal(404, () => storage.bucket("missing").file("x").save("x", { resumable: false })));
await attempt("delete an object", async () => {
  await bucket.file("moved").delete();
  await expectRefusal(404, () => bucket.file("moved").delete());
});
await attempt("deleting a bucket with objects is refused", () => expectRefusal(409, () => bucket.delete()));
await attempt("delete a bucket", async () => {
  await bucket.deleteFiles();
  await bucket.delete();
});
await attempt("calls without a token are refused", () => expectRefusal(401, () => new Storage().createBucket("nobody")));
done.tell();
