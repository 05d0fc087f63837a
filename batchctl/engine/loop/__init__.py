"""The loop of passes: `apply` until nothing is left to settle, `apply --wait` and `watch` until every job has ended."""
