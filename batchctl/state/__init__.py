"""The state file: everything that batchctl recorded, in a SQLite file that people can read.

Owns the tables, their migrations, the lock, and the mapping of every failure to a StateError. It decides nothing.
`open_state` is in `batchctl.state.store`.
"""
