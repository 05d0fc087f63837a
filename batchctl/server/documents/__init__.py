"""The JSON documents behind the page, made from a view: one module for each address below `/api`."""
