"""Processes that the kernel has locked, for code that nobody trusts.

:mod:`.lock` takes a process's rights away; :mod:`.isolation` runs one function in such a process; :mod:`.wire` carries
arrays over pipes, and :mod:`.forks` forks locked children, a few milliseconds each, from a process that has loaded what
they need (:mod:`.forked` is its other side).
"""
