"""The facts of each job: desired, recorded and observed put together. Every decision rests on them."""
