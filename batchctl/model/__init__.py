"""The vocabulary of batchctl: values, enums, errors and the protocols between rooms.

Everything here is frozen and touches nothing. Import from the modules, not from this package.
"""
