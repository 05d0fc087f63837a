"""The open providers of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchctl.model.errors import BatchctlError
from batchctl.model.keys import Account

if TYPE_CHECKING:  # protocols are for type checkers
    from batchctl.model.ports.providers import Provider, ProviderFactory


class Providers:
    """The open providers of this process, one per account, opened when first needed."""

    def __init__(self, factory: ProviderFactory) -> None:
        self._factory = factory
        self._open: dict[Account, Provider] = {}
        self._failed: dict[Account, BatchctlError] = {}

    def get(self, account: Account) -> Provider:
        """The account's provider. Raises what the factory raises, each time alike."""
        if account in self._failed:
            raise self._failed[account]
        if account not in self._open:
            try:
                self._open[account] = self._factory(account)
            except BatchctlError as error:
                self._failed[account] = error
                raise
        return self._open[account]

    def calls_of_list(self, account: Account, jobs: int) -> int:
        """The calls that a list of so many jobs of an account takes; 1 for an account that is not open."""
        opened = self._open.get(account)
        return 1 if opened is None else opened.calls_of_list(jobs)

    def forget_failures(self) -> None:
        """Let accounts that could not be opened be tried again."""
        self._failed.clear()

    def replace(self, factory: ProviderFactory) -> None:
        """Open all accounts again, by another factory. No call may be under way."""
        self.close()
        self._factory = factory
        self._open.clear()
        self._failed.clear()

    def close(self) -> None:
        for provider in self._open.values():
            provider.close()
