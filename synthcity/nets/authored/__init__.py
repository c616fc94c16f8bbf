"""Blocks and heads that a language model wrote: read here, run in locked processes alone.

On the ground of :mod:`synthcity.authored`: :mod:`.words` lists what such a file may name, :mod:`.static` reads it with
its :mod:`.options`, and :mod:`.code` registers what it says of itself. :mod:`.sandbox` has a locked process try it
(:mod:`.trial`). A network with such a part is a :class:`.walled_network.WalledNetwork`, in training a
:class:`.walled_fit.WalledFit`; :mod:`.inside` is what a locked child does for both, and :mod:`.execution` how it runs a
file.
"""
