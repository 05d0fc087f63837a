"""The two APIs behind one protocol: HTTP, authentication, retry, paging, marks.

Every failure leaves this package as `batchctl.model.errors.ApiError`. The package decides nothing about jobs: the
error's `effect` says what a failed call did, and `reconcile` decides what follows.
"""
