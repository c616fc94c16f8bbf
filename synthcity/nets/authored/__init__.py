"""Blocks and heads that a language model wrote: what they may say, where they are tried, how they are registered.

On the ground of :mod:`synthcity.authored`: :mod:`.words` lists what such a file may name, :mod:`.static` reads it,
:mod:`.code` registers it, :mod:`.trial` is what a locked process tries, :mod:`.dry_run` what it checks of a candidate,
and :mod:`.sandbox` puts these together.
"""
