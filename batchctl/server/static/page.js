"use strict";
(function () {
  const embedded = document.getElementById("batchctl-data");

  function show(summary, jobs) {
    document.getElementById("summary").textContent = `${summary.stack}: ${summary.jobs} jobs`;
    const body = document.getElementById("jobs");
    body.replaceChildren();
    for (const job of jobs) {
      const row = body.insertRow();
      for (const text of [job.job, job.phase, job.reason]) {
        row.insertCell().textContent = text || "";
      }
    }
  }

  async function load() {
    const [summary, jobs] = await Promise.all(
      ["api/summary", "api/jobs"].map((path) => fetch(path).then((answer) => answer.json())),
    );
    show(summary, jobs.items);
  }

  if (embedded) {
    const report = JSON.parse(embedded.textContent);
    show(report.documents.summary, report.documents.jobs.items);
  } else {
    new EventSource("events").addEventListener("change", load);
  }
})();
