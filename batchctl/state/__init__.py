"""The state file: what batchctl recorded, in SQLite, made to be read by people.

Owns the tables, their migrations, the lock and the mapping of every fault to a StateError. Decides nothing: it
stores and gives back what the engine says. Import from the modules; `open_state` is in `batchctl.state.store`.
"""
