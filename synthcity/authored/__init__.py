"""Code that a language model wrote: what it may say, and what is asked of it in locked child processes.

No torch and no Ray. :mod:`.vocabulary` lists what a file may name and :mod:`.reading` reads its syntax tree, the first,
cheap look; the wall is :mod:`.locked`. What may be written over NumPy alone (docs/authoring.md) is :mod:`.feature`::

    source = FeatureSource.of(text)                     # Refused, with a line for each finding
    panel = Panel.of(market, assets, 300, series={"funding": (times, values)})
    with open_feature(source, panel) as feature:        # its code runs in a locked child, never here
        past = feature.past(times)                      # (n,) unix seconds -> (n, assets, len(source.past))
        ahead = feature.future(times, ends)             # (n, steps) -> (n, assets, steps, len(source.future))

Whatever such code does wrong (it fails, hangs, lies, reaches out) is a :class:`~.locked.forks.Misbehaved`, a
``TrialFailed`` that says what.
"""
