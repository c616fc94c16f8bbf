"""Blocks and heads that a language model wrote: what they may say, where they are tried, how they are registered.

From the ground up: :mod:`.words` lists what such a file may name, :mod:`.static` reads its syntax tree, :mod:`.code`
registers it, :mod:`.lock` takes a process's rights away, :mod:`.isolation` runs a function in such a process,
:mod:`.trial` is what runs there, and :mod:`.admission` puts these together.
"""
