"""The two APIs behind one protocol: HTTP, authentication, retry, paging, marks.

Every failure leaves this room as `batchctl.model.errors.ApiError`. The room decides nothing about jobs: what a failed
call means for an attempt is said by the error's `effect`, and judged elsewhere.
"""
