"""A shared state in PostgreSQL: the tables of the state file, and one row that says who may write to them.

A session works on a copy in a local file, like with a bucket. A commit sends the records that it changed, in one
transaction that only the holder of the lock gets.
"""
