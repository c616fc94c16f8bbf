"""Agents: a language model asked with a budget, a memory and tools; nothing here knows torch or Ray.

From the ground up: :mod:`.client` asks one question (models, retries, ledger, transcript, replay), :mod:`.structured`
gets JSON that fits a schema, :mod:`.tools` and :mod:`.loop` let a model work until it calls ``finish``,
:mod:`.prompts` holds what it is told, and :mod:`.standin` is a Chutes server for tests.
"""
